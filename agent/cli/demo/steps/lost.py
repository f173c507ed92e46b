"""A laptop is lost and found again; another is gone for good."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agent.cli.demo.laptop import Laptop
from agent.cli.demo.stage import LINA, OMAR, PEOPLE, Claim, Stage, sha256
from agent.cli.demo.steps.takeover import DISK
from agent.core.errors import BookbagError
from agent.trust import floors

WORDS = (
    "en=This laptop is lost. Please bring it to North School.",
    "ar=هذا الحاسوب مفقود. يُرجى إعادته إلى المدرسة.",
)
LOCKED_SECONDS = 10.0
ERASED_SECONDS = 20.0


def lock(stage: Stage, broken: bool) -> Iterator[Claim]:
    """Locked by order, still after a restart, opened by telephone."""
    laptop = stage.lina
    places = {LINA: laptop.folder}
    stage.judge(Claim("", "snapshot", {"laptops": places, "into": f"{stage.folder}/unlocked.json"}))
    if laptop.log_in():
        raise BookbagError("internal", "cannot go on: nobody could log in before")
    messages = [word for text in WORDS for word in ("--message", text)]
    stage.fleet("lock", LINA, *messages, "--contact", "020 555 01", "--lost", "--as", PEOPLE[0])
    stage.fleet("publish", "--as", PEOPLE[0])
    if broken:
        laptop.stop()
    laptop.sync()
    stage.watch(lambda: bool(laptop.public("lock").get("locked")), LOCKED_SECONDS)
    yield Claim(
        "locked: one person signs, the screen says whom to call",
        "locked",
        {"folder": laptop.folder, "refusal": laptop.log_in()},
    )
    laptop.restart()
    stage.wait_for(lambda: laptop.listens and bool(laptop.log_in()), "the agent does not start again")
    yield Claim(
        "switched off and on: still locked", "locked", {"folder": laptop.folder, "refusal": laptop.log_in()}
    )
    challenge = str(laptop.public("lock").get("challenge"))
    answer = stage.fleet("answer", LINA, challenge, "--as", PEOPLE[1], "--json")
    code = str(json.loads(answer.splitlines()[-1])["code"])
    laptop.bookbag("unlock", code)
    yield Claim(
        f"found: {challenge} read out on the telephone, {code[:5]}-{code[5:]} read back: open, as it was",
        "same",
        {"laptops": places, "before": f"{stage.folder}/unlocked.json", "refusal": laptop.log_in()},
    )


def erase(stage: Stage, broken: bool) -> Iterator[Claim]:
    """Two persons, four hours in which anybody can call it off, and a certificate."""
    laptop = stage.laptops[OMAR]
    disk = laptop.path(DISK)
    keep = f"{stage.folder}/disk-before"
    with open(disk, "rb") as source, open(keep, "wb") as copy:
        copy.write(source.read())
    before = sha256(disk)
    stage.fleet("wipe", OMAR, "--reason", "stolen from a bus", "--yes", "--as", PEOPLE[0])
    stage.fleet("publish", "--as", PEOPLE[0])
    laptop.sync()
    yield Claim(
        "a second laptop is stolen; one person orders a wipe: nothing happens",
        "unarmed",
        {"disk": disk, "sha256": before, "folder": laptop.folder},
    )
    if not broken:  # the sabotage drops the second signature
        stage.fleet("approve", OMAR, "--as", PEOPLE[1])
    stage.fleet("publish", "--as", PEOPLE[0])
    laptop.sync()
    stage.watch(lambda: bool(laptop.public("lock").get("erase_at")), LOCKED_SECONDS)
    stage.pass_time(floors.GRACE + 60, laptop)
    stage.fleet("refresh")
    laptop.sync()
    stage.watch(lambda: sha256(disk) != before, ERASED_SECONDS)
    stage.watch(lambda: _certified(stage, laptop), ERASED_SECONDS)
    yield Claim(
        "a second person signs, four hours pass (both clocks are set on): erased",
        "erased",
        {
            "disk": disk,
            "before": keep,
            "receipts": f"{stage.desk}/receipts/{OMAR}",
            "record": f"{stage.desk}/devices/{OMAR}.yaml",
        },
    )


def _certified(stage: Stage, laptop: Laptop) -> bool:
    """Whether the desk has, of an order that this laptop got, a receipt that nothing follows."""
    laptop.sync()
    said = json.loads(stage.fleet("receipts", "--as", PEOPLE[0], "--json").splitlines()[-1])
    return any(one["final"] and one["device"] == laptop.name for one in said["receipts"])
