"""A site that orders its laptops about: what people type, how time passes for all, what came of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.lab import clock
from tests.lab.acceptance.desk import PEOPLE, Desk
from tests.lab.acceptance.school import AGENT, bookbag, status
from tests.lab.errors import TimedOut
from tests.lab.laptop import Laptop

PUBLIC = "/var/lib/bookbag/public"
#: Everything that reads the wall clock.
CLOCKED = (
    AGENT,
    *(f"bookbag-worker-{name}@.service" for name in ("command", "configure", "enforce", "erase", "sync")),
)
MINUTE, HOUR, DAY = 60, 3600, 86_400
PATIENCE = 60.0


@dataclass
class Site:
    """A desk with its service, and laptops of its own. Time goes forward only, for desk and laptops alike."""

    desk: Desk
    laptops: list[Laptop] = field(default_factory=list)
    ahead: int = 0  #: seconds that were not waited for

    # -- time

    @property
    def now(self) -> int:
        """Unix seconds, here."""
        return int(time.time()) + self.ahead

    def pass_time(self, seconds: int, *, desk: bool = True) -> None:
        """So much later, everywhere; with ``desk`` off the laptops alone think so."""
        self.ahead += seconds
        if desk:
            self.desk.ahead = self.ahead
        for laptop in self.laptops:
            set_ahead(laptop, self.ahead)

    def another_day(self) -> None:
        """Long enough for the brake to have forgotten every order, with the word kept fresh."""
        self.pass_time(2 * DAY)
        self.desk.fleet("refresh")
        for laptop in self.laptops:
            self.sync(laptop)

    # -- the desk

    def order(self, verb: str, *words: str, by: tuple[str, ...] = PEOPLE[:1]) -> str:
        """`bookbag-fleet VERB … --as …`; the id of the one order that it made."""
        signed = [word for person in by for word in ("--as", person)]
        (made,) = self.desk.fleet_json(verb, *words, *signed)["orders"]
        return str(made["id"])

    def told(self, laptop: Laptop, order: str = "") -> list[tuple[str, str]]:
        """(state, code) of each receipt of the laptop (about ``order``) that the desk has opened; the chain
        holds.
        """
        said = self.desk.fleet_json("receipts", laptop.name, "--as", PEOPLE[0])
        assert said["problems"] == []
        return [(one["state"], one["code"]) for one in said["receipts"] if order in ("", one["order"])]

    # -- the laptops

    def sync(self, laptop: Laptop) -> None:
        """`bookbag sync`, and whatever orders it brought are carried out."""
        bookbag(laptop, "sync", codes=(0, 2, 4, 6))

    def send(self, laptop: Laptop, *, waiting: bool = False) -> None:
        """Publish what was ordered, and let the laptop look. ``waiting``: an order still lacks something."""
        self.desk.fleet("publish", "--as", PEOPLE[0], codes=(4,) if waiting else (0,))
        self.sync(laptop)

    def until_told(self, laptop: Laptop, order: str, *states: str) -> list[tuple[str, str]]:
        """Wait until the desk has these receipts about ``order``, one by one and no others; (state, code)."""
        told: list[tuple[str, str]] = []
        until = time.monotonic() + PATIENCE
        while [state for state, _ in told] != list(states):
            if time.monotonic() > until:
                raise TimedOut(
                    f"{laptop.name}: waited for {states} and got {told}\n{laptop.journal(lines=60)}"
                )
            self.sync(laptop)
            told = self.told(laptop, order)
        return told


def set_ahead(laptop: Laptop, seconds: int, *, without: str = "") -> None:
    """Let the laptop's agent read the wall clock so many seconds ahead of this machine's; ``without``: one of
    its workers does not.
    """
    when = datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    fresh = not laptop.exists(f"/etc/systemd/system/{CLOCKED[0]}.d/90-lab-clock.conf")
    for unit in CLOCKED:
        if unit == f"bookbag-worker-{without}@.service":
            continue
        clock.set_fake_time(laptop, unit, when)
    if fresh and laptop.init_pid is not None:
        laptop.run(["systemctl", "restart", AGENT])
        laptop.wait_until(lambda: status(laptop)["device"], 30, "the agent", unit=AGENT)


def commands(laptop: Laptop) -> dict[str, Any]:
    """How orders stand on the laptop."""
    found: dict[str, Any] = status(laptop)["commands"]
    return found


def notice(laptop: Laptop, name: str = "lock") -> dict[str, Any]:
    """What everybody on the laptop may read: of the lock, or the messages."""
    found: dict[str, Any] = json.loads(laptop.read(f"{PUBLIC}/{name}.json"))
    return found


def locked(laptop: Laptop) -> bool:
    """Whether the lock holds, wholly closed."""
    said = commands(laptop)
    return bool(said.get("locked")) and said.get("phase") == "closed"
