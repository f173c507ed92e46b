"""For each writer of telemetry's state: a program that acknowledges what it stored, and a check of what is
found.

Light on purpose: each of hundreds of child processes imports this module.
"""

from __future__ import annotations

from pathlib import Path

from agent.telemetry.memory import MemoryFile
from agent.telemetry.otlp.encode import request
from agent.telemetry.outbox import Outbox
from agent.telemetry.sent import UNKNOWN, Sent
from tests.store.programs import acknowledged, steps
from tests.telemetry.samples import AT, report

__all__ = ["WRITERS", "acknowledged"]


# -- the spool: what was acknowledged is there, whole, in order; making room loses only what it says


def spool(directory: Path) -> None:
    outbox = Outbox(f"{directory}/out", most_files=2)
    steps(
        lambda: outbox.put(report("health", 1)),
        lambda: outbox.put(report("compliance", 2)),
        lambda: outbox.put(report("compliance", 3)),
        lambda: outbox.remove(outbox.waiting()),
        lambda: outbox.put(report("health", 4)),
    )


def check_spool(directory: Path, done: int) -> None:
    outbox = Outbox(f"{directory}/out", most_files=2)
    found = [int(outbox.read(one).id, 16) for one in outbox.waiting()]
    histories = [[], [1], [1, 2], [2, 3], [], [4]]
    # within a step: room is made before the new one comes, and those of one removal go in any order
    between = {3: [[2]], 4: [[2], [3]]}
    allowed = [*histories[done : done + 2], *between.get(done + 1, [])]
    assert found in allowed, (found, allowed)
    outbox.put(report("compliance", 9))  # and it can go on from there
    assert int(outbox.read(outbox.waiting()[-1]).id, 16) == 9


# -- the counts


def counts(directory: Path) -> None:
    file = MemoryFile(str(directory))
    steps(*(lambda: file.lose({"full": 1}) for _ in range(3)))


def check_counts(directory: Path, done: int) -> None:
    file = MemoryFile(str(directory))
    assert file.read().dropped.get("full", 0) in (done, done + 1)
    assert "damaged" not in file.read().dropped


# -- what was sent: from the first acknowledged "it may leave" on, the student can see it


def entries(directory: Path) -> None:
    sent = Sent(f"{directory}/sent", kept=2)
    body = [request("metrics", [report("health", number)]) for number in range(3)]
    steps(
        lambda: sent.begin("metrics", body[0], {"at": AT}),
        lambda: sent.finish(1, "taken (200)"),
        lambda: sent.begin("metrics", body[1], {"at": AT}),
        lambda: sent.take_back(2),
        lambda: sent.begin("metrics", body[2], {"at": AT}),
    )


def check_entries(directory: Path, done: int) -> None:
    sent = Sent(f"{directory}/sent", kept=2)
    found = [(number, entry["outcome"]) for number in sent.numbers() if (entry := sent.entry(number))]
    one, taken, two = (1, UNKNOWN), (1, "taken (200)"), (2, UNKNOWN)
    histories = [[], [one], [taken], [taken, two], [taken], [taken, two]]
    assert found in histories[done : done + 2], (found, done)
    for number, _ in found:
        body = sent.raw(number)
        assert body is not None, "an entry without its bytes"


#: name → (program, check of a directory after so many steps were acknowledged)
WRITERS = {"spool": (spool, check_spool), "counts": (counts, check_counts), "sent": (entries, check_entries)}
