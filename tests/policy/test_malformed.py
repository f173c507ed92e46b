"""Two hundred ways of breaking a policy: never a traceback, always the place, never a quiet acceptance; and a
laptop that gets one goes on with what it had.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.model import Outcome
from agent.policy.compile import compile_site, good_sources
from agent.policy.desk.check import check_documents
from agent.policy.desk.preview import preview, templates
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems
from tests.conftest import Rounds
from tests.policy.machine import DEVICE, Machine, outcomes

PLACE = re.compile(r"[a-z-]+\.yaml:[1-9][0-9]*:[1-9][0-9]*")
NASTY = [
    *(b"&a ", b"*a", b"!!python/object/apply:os.system [x]", b"<<: {}", b"%YAML 1.1", b"---\n", b"...\nx"),
    *(b"\t", b"\x00", b"\x07", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xf0\x9f\x92\xa9"),
    *(b"{", b"}", b"[", b"]", b"'", b'"', b"|", b"? ", b": ", b"- ", b"#", b",", b"@", b"`", b"%", b"\\"),
    *(b"0644", b"22:30", b"1.5", b"null", b"[" * 50, b"a: " * 30, b'"\\ud800"', b"999999999999999999999"),
    *(b"..", b"//", b"$(reboot)"),
]
#: Values of every other type, in place of what stands there.
OTHERS = [
    b"null",
    b"true",
    b"-7",
    b"[]",
    b"{}",
    b"[a, [b]]",
    b"{a: {b: c}}",
    b'""',
    b"text",
    b"~",
    b"1e9",
    b"!!int 3",
]
Lines = list[bytes]
Mutation = Callable[[random.Random, Lines], None]


def change_type(chance: random.Random, lines: Lines) -> None:
    at = chance.choice(
        [n for n, line in enumerate(lines) if b": " in line and not line.lstrip().startswith(b"#")]
    )
    lines[at] = lines[at].partition(b": ")[0] + b": " + chance.choice(OTHERS)


def drop_a_line(chance: random.Random, lines: Lines) -> None:
    del lines[chance.randrange(len(lines))]


def double_a_key(chance: random.Random, lines: Lines) -> None:
    at = chance.choice([n for n, line in enumerate(lines) if b":" in line and b"#" not in line])
    lines.insert(at, lines[at])


def break_indentation(chance: random.Random, lines: Lines) -> None:
    at = chance.choice([n for n, line in enumerate(lines) if line.startswith(b" ")])
    lines[at] = b" " * chance.choice((0, 1, 3, 5, 9)) + lines[at].lstrip()


def swap_words(chance: random.Random, lines: Lines) -> None:
    words = re.findall(rb"[a-z]{3,}", b"\n".join(lines))
    one, other = chance.choice(words), chance.choice(words)
    lines[:] = [line.replace(one, other) for line in lines]


def mistype(chance: random.Random, lines: Lines) -> None:
    at = chance.choice([n for n, line in enumerate(lines) if b":" in line])
    word, colon, rest = lines[at].partition(b":")
    lines[at] = word[:-2] + word[:-3:-1] + colon + rest


def insert_something(chance: random.Random, lines: Lines) -> None:
    at = chance.randrange(len(lines))
    column = chance.randrange(len(lines[at]) + 1)
    lines[at] = lines[at][:column] + chance.choice(NASTY) + lines[at][column:]


def nest_deeply(chance: random.Random, lines: Lines) -> None:
    depth = chance.choice((21, 300, 9000))
    lines.append(b"more: " + chance.choice((b"[" * depth + b"]" * depth, b"{a: " * depth + b"}" * depth)))


def write_hugely(chance: random.Random, lines: Lines) -> None:
    at = chance.choice([n for n, line in enumerate(lines) if b": " in line])
    lines[at] = lines[at].partition(b": ")[0] + b": " + b"x" * chance.choice((3000, 60_000, 70_000))


def cut_off(chance: random.Random, lines: Lines) -> None:
    data = b"\n".join(lines)
    lines[:] = data[: chance.randrange(len(data))].split(b"\n")


def flip_a_bit(chance: random.Random, lines: Lines) -> None:
    data = bytearray(b"\n".join(lines))
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    lines[:] = bytes(data).split(b"\n")


MUTATIONS: list[Mutation] = [
    *(change_type, drop_a_line, double_a_key, break_indentation, swap_words, mistype, insert_something),
    *(insert_something, nest_deeply, write_hugely, cut_off, flip_a_bit),
]
COUNT = 200


def mutant(number: int) -> tuple[str, bytes]:
    chance = random.Random(f"malformed policy {number}")
    originals = sorted(templates().items())
    name, data = originals[number % len(originals)]
    lines = data.split(b"\n")
    MUTATIONS[number % len(MUTATIONS)](chance, lines)
    return name, b"\n".join(lines)


@pytest.mark.parametrize("number", range(0, COUNT, 20))
def test_a_broken_policy_is_refused_with_the_place(number: int) -> None:
    for name, data in map(mutant, range(number, number + 20)):
        source = Source(name, data, "ict")
        for finding in check_documents([source]):
            whole = finding.code == "too-large" and "bytes" in finding.message
            assert finding.place == name if whole else PLACE.fullmatch(finding.place), finding
            assert finding.message.startswith("cannot "), finding
        compiled = compile_site([source], DEVICE)
        for refusal in compiled.refusals:
            assert refusal["place"].startswith(name), refusal
        assert len(preview([source], [DEVICE])) == 1


def test_most_mutants_are_noticed_of_every_kind() -> None:
    """Some only change a comment or a word that may be any word; if many passed, the loader would be deaf."""
    noticed = [number for number in range(COUNT) if check_documents([Source(*mutant(number), "ict")])]
    assert len(noticed) > 130, len(noticed)
    of_each = {MUTATIONS[number % len(MUTATIONS)] for number in noticed}
    assert of_each == set(MUTATIONS), {one.__name__ for one in set(MUTATIONS) - of_each}


@pytest.mark.soak(sample=True)
def test_a_laptop_that_gets_one_keeps_what_was_in_force(tmp_path: Path, soak_rounds: Rounds) -> None:
    broken = 0
    with Machine(tmp_path) as machine:
        before = machine.state()
        for year in ("3", "9"):  # of primary and secondary school
            device = replace(DEVICE, year=year)
            good = {name: Source(name, data, "ict") for name, data in sorted(templates().items())}
            machine.apply(compile_site(list(good.values()), device))
            settled = machine.state()
            assert settled != before
            kept = good_sources(good.values(), {})
            for number in range(0, COUNT, COUNT // soak_rounds(sample=8, full=COUNT)):
                name, data = mutant(number)
                if read_document(Source(name, data, "ict"), Problems()) is not None:
                    continue  # still a policy, and to be obeyed
                broken += 1
                got = [*(one for one in good.values() if one.file != name), Source(name, data, "ict")]
                compiled = compile_site(got, device, kept)
                assert [row["subject"] for row in compiled.refusals] == [f"policy:{name}"]
                assert "its last good version stays in force" in compiled.refusals[0]["message"]
                run = machine.apply(compiled)
                assert set(outcomes(run).values()) <= {Outcome.IN_FORCE, Outcome.REFUSED}, number
                assert machine.state() == settled, number
                assert good_sources(got, kept) == kept
                without = compile_site(got, device)  # the control: on a laptop that never had a good one
                assert without.data["items"] != compiled.data["items"] or name not in _meant(good, year)
        machine.apply(None)
        assert machine.state() == before
    assert broken >= 8


def _meant(good: dict[str, Source], year: str) -> set[str]:
    return {"baseline.yaml", "primary.yaml" if int(year) < 7 else "secondary.yaml"} & set(good)
