"""A colleague who may write to the folder and has no key edits who is trusted: whoever signs is told."""

from __future__ import annotations

import re

from agent.trust.keys import SealKey, SigningKey
from tests.fleet.desk import Desk


def told(desk: Desk, *words: str) -> list[str]:
    """The lines about trust, as people see them, and where in the output the first signature is."""
    ran = desk.run(*words, expect=None, as_json=False)
    lines = ran.out.splitlines()
    first = next((at for at, line in enumerate(lines) if line.startswith("signed")), len(lines))
    assert not any(line.startswith("trust") for line in lines[first:]), "said before anything is signed"
    return [line.removeprefix("trust").strip() for line in lines[:first] if line.startswith("trust")]


def add_mallory(desk: Desk) -> str:
    key = SigningKey.generate().public.hex
    (desk.root / "people" / "mallory.yaml").write_text(
        f'v: 1\nid: mallory\nkeys:\n  - "{key}"\nseal-key: "{SealKey.generate().public.hex}"\n'
    )
    site = desk.root / "site.yaml"
    text = site.read_text()
    wider = text.replace("      - ict-2\n", "      - ict-2\n      - mallory\n")
    wider = wider.replace("\n  - ict-2\n", "\n  - ict-2\n  - mallory\n")
    assert wider.count("mallory") == 2
    site.write_text(wider)
    return key


def test_a_person_who_slipped_in_is_named_before_anybody_signs(desk: Desk) -> None:
    assert told(desk, "plan") == [], "the control: nothing changes"
    key = add_mallory(desk)
    said = [
        f"mallory becomes a person of this site, with the key {key[:16]}…",
        "mallory may sign for the role ict and its power",
        "mallory may, with a second holder, decide whom this site trusts (root)",
        "mallory may, with a second holder, decide whom this site trusts (targets)",
    ]
    assert told(desk, "plan") == said
    assert desk.run("plan", expect=2).value["trust"] == said
    assert told(desk, "publish", "--as", "ict-1") == said
    assert told(desk, "approve", "--list") == said
    assert told(desk, "approve", "--as", "head-1") == said
    assert told(desk, "plan") == [], "by now laptops trust mallory"


def test_another_key_for_secrets_is_named(desk: Desk) -> None:
    """Unlock keys are escrowed to it, and no signature is missing anywhere when it is exchanged."""
    person = desk.root / "people" / "head-1.yaml"
    other = SealKey.generate().public.hex
    person.write_text(re.sub(r'seal-key: "[0-9a-f]+"', f'seal-key: "{other}"', person.read_text()))
    site = desk.root / "site.yaml"
    site.write_text(re.sub(r'returns-key: "[0-9a-f]+"', f'returns-key: "{other}"', site.read_text()))
    assert told(desk, "plan") == [
        "what is sealed to head-1, unlock keys of laptops included, opens with another key",
        f"what laptops return is sealed to another key: {other[:16]}…",
    ]


def test_power_and_ranks_that_a_role_gains_are_named(desk: Desk) -> None:
    site = desk.root / "site.yaml"
    more = "  teachers:\n    persons:\n      - ict-2\n    ranks:\n      - class\n    power: false\nholders:"
    site.write_text(site.read_text().replace("holders:", more))
    desk.publish()
    grown = site.read_text().replace(
        more,
        more.replace("- ict-2", "- ict-2\n      - head-1")
        .replace("- class", "- school")
        .replace("false", "true"),
    )
    site.write_text(grown)
    assert told(desk, "plan") == [
        "head-1 may sign for the role teachers and its power",
        "the role teachers may speak for the rank school",
        "two of the role teachers may run code as root on laptops",
    ]
