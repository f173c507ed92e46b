"""At home: a curious student, and no network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from agent.cli.demo.laptop import Laptop
from agent.cli.demo.stage import Claim, Stage, sha256
from agent.cli.demo.steps.school import HOMEPAGE

CASINO = "https://casino.example/"
HEALED_SECONDS = 5.0


def heal(stage: Stage, broken: bool) -> Iterator[Claim]:
    """The student edits the file."""
    laptop = stage.lina
    if broken:
        laptop.stop()
    path = laptop.path(HOMEPAGE)
    right = sha256(path)
    laptop.write(HOMEPAGE, f'{{"HomepageLocation": "{CASINO}"}}\n')
    tampered = os.stat(path).st_ino
    took = stage.watch(lambda: sha256(path) == right, HEALED_SECONDS)
    yield Claim(
        "Lina makes a casino her home page" + (f": undone {took * 1000:.0f} ms later" if took else ""),
        "healed",
        {"path": path, "sha256": right, "inode": tampered},
    )


def offline(stage: Stage, broken: bool) -> Iterator[Claim]:
    """The cable is cut, the clock is in 1970, the agent was killed: rules hold, and the library opens."""
    laptop = stage.lina
    stage.wait_for(lambda: _has_a_book(laptop), "the book does not arrive")
    stage.close_service()
    laptop.set_clock(-stage.now())
    laptop.crash()
    laptop.start()
    stage.wait_for(lambda: laptop.listens, "the agent does not start again")
    path = laptop.path(HOMEPAGE)
    right = sha256(path)
    if broken:
        laptop.stop()
    laptop.write(HOMEPAGE, "{}\n")
    tampered = os.stat(path).st_ino
    stage.watch(lambda: sha256(path) == right, HEALED_SECONDS)
    yield Claim(
        "cable cut, clock in 1970, agent killed and started again: the rules hold",
        "healed",
        {"path": path, "sha256": right, "inode": tampered},
    )
    yield Claim(
        "and the library opens, and finds what Lina looks for",
        "library",
        {"url": f"http://127.0.0.1:{stage.portal_port}", "words": "delta", "text": "a delta grows"},
    )
    os.unlink(laptop.path("/.sandbox/clock.json"))
    stage.open_service()


def _has_a_book(laptop: Laptop) -> bool:
    try:
        with open(laptop.path("/var/lib/bookbag/content/shelf.json"), encoding="utf-8") as file:
            return any(item["state"] == "ready" for item in json.load(file)["items"])
    except FileNotFoundError:
        return False
