"""The demonstration's steps: each does something real and names what the judge must find on disk afterwards.

``broken`` is the sabotage: every step can be told to have something go wrong in it, and must then show ✗.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.cli.demo import attack
from agent.cli.demo.stage import PEOPLE, Stage, sha256

LIBRARY = "https://library.north.example/"
EVIL = "https://casino.example/"
HOMEPAGE = "/etc/chromium/policies/managed/bookbag-homepage.json"
MOTD = "/etc/motd"
TOOL = "/usr/local/bin/welcome"

SIX_LINES = f"""\
policy: library-first
rank: school
owner: ict@north.example
review-by: "2027-08-01"
settings:
  browser.homepage: "{LIBRARY}"
"""
ROOT_POWER = f"""\
policy: tools
rank: school
owner: ict@north.example
review-by: "2027-08-01"
resources:
  - file: {{path: {MOTD}, content: "Be kind to this laptop.\\n", mode: "0644"}}
  - file: {{path: {TOOL}, content: "#!/bin/sh\\necho welcome\\n", mode: "0755"}}
"""

#: What was on the laptop before: managed files must come back to the byte, strangers stay untouched.
BEFORE = (
    (MOTD, "Welcome to Debian.\n", 0o640),
    (HOMEPAGE, '{"HomepageLocation": "https://start.example/"}\n', 0o600),
    ("/etc/chromium/policies/managed/printers.json", "{}\n", 0o644),
    ("/home/student/essay.txt", "The year without a summer\n", 0o600),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a step says happened: a sentence, and the judge's check with its arguments."""

    said: str
    check: str
    arguments: dict[str, object]


Step = Callable[[Stage, bool], Claim]


def begin(stage: Stage, broken: bool) -> Claim:
    """A school begins; two of three persons sign."""
    people = [word for person in PEOPLE for word in ("--person", person)]
    stage.begin("--site", "north", "--url", f"https://127.0.0.1:{stage.port}/", *people)
    os.makedirs(f"{stage.desk}/policies/ict", exist_ok=True)
    stage.fleet("publish", "--as", PEOPLE[0], "--as", PEOPLE[1])
    if broken:  # a dropped signature
        path = Path(stage.docroot, "metadata", "1.root.json")
        root = json.loads(path.read_bytes())
        root["signatures"].pop()
        path.write_text(json.dumps(root), encoding="utf-8")
    return Claim(
        "A school begins: three persons' keys, a repository of plain files, signed by two of them",
        "signed",
        {"docroot": stage.docroot, "people": f"{stage.desk}/people"},
    )


def enrol(stage: Stage, broken: bool) -> Claim:
    """A laptop in a folder joins with a one-time token; a second use is refused."""
    for path, text, mode in BEFORE:
        stage.write(stage.on_laptop(path), text, mode)
    stage.judge("snapshot", root=stage.laptop, into=f"{stage.folder}/before.json")
    stage.open_service()
    stage.start_laptop()
    file = f"{stage.folder}/enrol-lina.json"
    stage.fleet("device", "lina", "--out", file)
    stage.bookbag("enrol", file)
    stage.bookbag("sync")
    stage.bookbag("sync")
    (sent,) = [one for one in Path(stage.desk, "returns").iterdir() if one.is_file()]
    if broken:  # a flipped byte in what the laptop sent
        data = bytearray(sent.read_bytes())
        data[len(data) // 2] ^= 1
        sent.write_bytes(data)
    first = sha256(str(sent))
    _second_use(stage, file, sent.name)
    stage.fleet("assign", "lina", "school=north", "year=9", "class=9b", "--as", PEOPLE[0])
    stage.fleet("publish", "--as", PEOPLE[0])
    stage.bookbag("sync")
    used = next((p for p in (sent, sent.parent / "done" / sent.name) if p.exists()), sent)
    return Claim(
        "A laptop enrols with a one-time token, the desk knows its key, a person assigns it to class 9b",
        "enrolled",
        {
            "laptop": stage.laptop,
            "record": f"{stage.desk}/devices/lina.yaml",
            "docroot": stage.docroot,
            "used": str(used),
            "used_sha256": first,
        },
    )


def _second_use(stage: Stage, file: str, name: str) -> None:
    """Another laptop tries the same enrol file."""
    thief = Stage(f"{stage.folder}/thief")
    os.makedirs(thief.folder)
    with thief:
        thief.start_laptop()
        thief.bookbag("enrol", file)
        thief.try_bookbag("sync")
        thief.try_bookbag("sync")


def enforce(stage: Stage, broken: bool) -> Claim:
    """Six lines of YAML come into force."""
    stage.write(f"{stage.desk}/policies/ict/library.yaml", SIX_LINES)
    plan = stage.fleet("plan")
    stage.fleet("publish", "--as", PEOPLE[0])
    if broken and stage.agent:  # a stopped worker: nothing on the laptop moves any more
        stage.agent.stop()
    stage.try_bookbag("sync")
    shown = next((line.strip() for line in plan.text.splitlines() if "browser.homepage" in line), "")
    return Claim(
        "Six lines of YAML, planned, signed by one person, in force after one sync:\n"
        f"      {' '.join(shown.split())}",
        "holds",
        {"path": stage.on_laptop(HOMEPAGE), "text": f'"HomepageLocation": "{LIBRARY}"'},
    )


def heal(stage: Stage, broken: bool) -> Claim:
    """The student edits the file."""
    path = stage.on_laptop(HOMEPAGE)
    right = sha256(path)
    if broken and stage.agent:
        stage.agent.stop()
    stage.write(path, f'{{"HomepageLocation": "{EVIL}"}}\n')
    tampered = os.stat(path).st_ino
    took = stage.watch(lambda: sha256(path) == right, 3.0)
    return Claim(
        f"The student edits the file: undone {took * 1000:.0f} ms later"
        if took
        else "The student edits the file",
        "healed",
        {"path": path, "sha256": right, "inode": tampered},
    )


def forge(stage: Stage, broken: bool) -> Claim:
    """The service is taken over, with every online key on it."""
    person = attack.steal_person_key(stage.desk, PEOPLE[0], stage.passphrase) if broken else None
    keep = f"{stage.folder}/published.honest"
    shutil.copytree(stage.docroot, keep)
    forged = attack.forge_policy(stage.desk, "library.yaml", LIBRARY, EVIL, stage.now(), person)
    stage.try_bookbag("sync")
    claim = Claim(
        "You own the service and every key on it: your policy reaches the laptop and is refused",
        "refused",
        {
            "path": stage.on_laptop(HOMEPAGE),
            "text": f'"HomepageLocation": "{LIBRARY}"',
            "seen": f"{stage.folder}/seen.json",
            "seen_sha256": forged,
        },
    )
    shutil.copyfile(
        f"{stage.laptop}/var/lib/bookbag/spool/mirror/metadata/timestamp.json", f"{stage.folder}/seen.json"
    )
    shutil.rmtree(stage.docroot)
    os.rename(keep, stage.docroot)
    return claim


def hide(stage: Stage, broken: bool) -> Claim:
    """One dishonest person hides a program in a policy, past the desk's own check."""
    key = attack.steal_person_key(stage.desk, PEOPLE[0], stage.passphrase)
    documents = {"library.yaml": SIX_LINES.encode(), "tools.yaml": ROOT_POWER.encode()}
    attack.publish_past_the_desk(stage.desk, documents, key, stage.now())
    if broken and stage.agent:
        stage.agent.stop()
    stage.try_bookbag("sync")
    return Claim(
        "One person alone hides a program in a policy: it is refused, the rest of that policy is in force",
        "split",
        {
            "present": stage.on_laptop(MOTD),
            "text": "Be kind to this laptop.",
            "absent": stage.on_laptop(TOOL),
        },
    )


def empower(stage: Stage, broken: bool) -> Claim:
    """The same document, decided by two persons."""
    os.makedirs(f"{stage.desk}/power/ict", exist_ok=True)
    stage.write(f"{stage.desk}/power/ict/tools.yaml", ROOT_POWER)
    stage.fleet("publish", "--as", PEOPLE[0])  # waits for a second person
    if not broken:  # the sabotage drops the second signature
        stage.fleet("approve", "--as", PEOPLE[1])
        stage.fleet("publish", "--as", PEOPLE[0])
    stage.try_bookbag("sync")
    return Claim(
        "The same program, decided by two persons: it is there",
        "holds",
        {"path": stage.on_laptop(TOOL), "text": "echo welcome"},
    )


def endure(stage: Stage, broken: bool) -> Claim:
    """No cable, a clock in 1970, a restart, and a student who tries again."""
    if stage.service:
        stage.service.stop()
    stage.write(stage.on_laptop("/.sandbox/clock.json"), f'{{"offset": {-stage.now()}}}\n')
    if stage.agent:
        stage.agent.crash()
    stage.start_laptop()
    stage.try_bookbag("sync")
    path = stage.on_laptop(HOMEPAGE)
    right = sha256(path)
    if broken and stage.agent:
        stage.agent.stop()
    stage.write(path, "{}\n")
    tampered = os.stat(path).st_ino
    stage.watch(lambda: sha256(path) == right, 3.0)
    return Claim(
        "Cable cut, clock in 1970, agent killed and started again: the rules still hold and heal",
        "healed",
        {"path": path, "sha256": right, "inode": tampered},
    )


def withdraw(stage: Stage, broken: bool) -> Claim:
    """All policy is withdrawn."""
    os.unlink(stage.on_laptop("/.sandbox/clock.json"))
    stage.open_service()
    for path in (f"{stage.desk}/policies/ict/library.yaml", f"{stage.desk}/power/ict/tools.yaml"):
        os.unlink(path)
    stage.fleet("publish", "--as", PEOPLE[0], "--as", PEOPLE[1])
    stage.try_bookbag("sync")
    if broken:  # a flipped byte in what was restored
        stage.write(stage.on_laptop(MOTD), "welcome to Debian.\n", 0o640)
    return Claim(
        "The school withdraws everything: the laptop is as it was before",
        "same",
        {"root": stage.laptop, "before": f"{stage.folder}/before.json"},
    )


STEPS: tuple[Step, ...] = (begin, enrol, enforce, heal, forge, hide, empower, endure, withdraw)
