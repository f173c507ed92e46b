"""A desk that offers real material: a site, a book in two languages, a film."""

from __future__ import annotations

import time
from pathlib import Path

from tests.content import real
from tests.daemon.laptop import SandboxLaptop
from tests.fleet.content.test_to_a_laptop import items
from tests.fleet.desk import Desk, make_desk

KEYS = {"ict.film", "ict.handbook", "ict.handbook-fa", "ict.python"}


def offers_all(folder: Path) -> Desk:
    """A desk in ``folder`` that has published all of it; skips the test where it cannot be fetched."""
    book = ("--without-links", "--licence", "CC-BY-SA-3.0")
    desk = make_desk(folder, now=int(time.time()))
    desk.publish()
    for path, name, more in (
        (real.python_docs(), "python", ("--without-links", "--licence", "PSF-2.0", "--subject", "computing")),
        (real.handbook("en-US"), "handbook", book),
        (real.handbook("fa-IR"), "handbook-fa", (*book, "--lang", "fa")),
        (real.film(), "film", ("--title", "en=Big Buck Bunny", "--lang", "en", "--licence", "CC-BY-3.0")),
    ):
        desk.run("content", "add", str(path), "--id", name, *more)
    desk.publish("ict-1")
    return desk


def all_here(laptop: SandboxLaptop) -> bool:
    """Whether the laptop has all of it."""
    told = items(laptop)
    return set(told) == KEYS and all(row["state"] == "ready" for row in told.values())
