"""Two hundred ways of breaking a policy: never a traceback, always the place, and never a quiet
acceptance.
"""

from __future__ import annotations

import random
import re

import pytest

from agent.policy.check import check_documents
from agent.policy.compile import compile_site
from agent.policy.document import Source
from agent.policy.preview import preview, templates
from tests.policy.machine import DEVICE

PLACE = re.compile(r"[a-z]+\.yaml(:[0-9]+:[0-9]+)?")
NASTY = [
    *(b"&a ", b"*a", b"!!python/object/apply:os.system [x]", b"<<: {}", b"%YAML 1.1", b"---\n", b"...\nx"),
    *(b"\t", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\xf0\x9f\x92\xa9"),
    *(b"{", b"}", b"[", b"]", b"'", b'"', b"|", b"? ", b": ", b"- ", b"#", b",", b"@", b"`", b"%", b"\\"),
    *(b"0644", b"22:30", b"1.5", b"null", b"[" * 50, b"a: " * 30, b'"\\ud800"', b"999999999999999999999"),
    *(b"..", b"//", b"$(reboot)"),
]


def mutants() -> list[tuple[str, bytes]]:
    chance = random.Random("malformed policies")
    found = []
    originals = sorted(templates().items())
    for number in range(200):
        name, data = originals[number % len(originals)]
        at = chance.randrange(len(data))
        match number % 5:
            case 0:
                data = data[:at] + chance.choice(NASTY) + data[at:]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + data[at + chance.randrange(1, 40) :]
            case 3:
                data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            case 4:
                lines = data.split(b"\n")
                one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
                lines[one] = lines[other]
                data = b"\n".join(lines)
        found.append((name, data))
    return found


@pytest.mark.parametrize("number", range(0, 200, 20))
def test_a_broken_policy_is_refused_with_the_place(number: int) -> None:
    for name, data in mutants()[number : number + 20]:
        source = Source(name, data, "ict")
        for finding in check_documents([source]):
            assert PLACE.fullmatch(finding.place), finding
            assert finding.message.startswith("cannot "), finding
        compiled = compile_site([source], DEVICE)
        for refusal in compiled.refusals:
            assert PLACE.fullmatch(refusal["place"]), refusal
        assert len(preview([source], [DEVICE])) == 1


def test_most_mutants_are_noticed() -> None:
    """Some only change a comment or a word that may be any word; if many passed, the loader would be deaf."""
    noticed = sum(bool(check_documents([Source(name, data, "ict")])) for name, data in mutants())
    assert noticed > 90, noticed
