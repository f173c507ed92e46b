"""Where one attack is tried: a school called North, a school called South that shares every key with it, and
a laptop.

An attack is one scenario with one switch. With the switch on, something is wrong with what is offered, and it
must not be taken; with it off, nothing is wrong, and exactly the same question must be answered with yes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.core.clock import Reading
from agent.trust import mailbox
from agent.trust.commandlog import CommandLog
from agent.trust.identity import DeviceIdentity
from agent.trust.sealing import seal
from agent.trust.view import SiteView
from tests.trust.evil.desk import DAY, START, Desk, Files, Register, identity, key
from tests.trust.evil.forge import Forge, Json, tuf_key
from tests.trust.evil.laptop import Laptop, Outcome
from tests.trust.offers import offer

WANTED = "wanted: yes\n"  #: the policy that an attack wants in force


@dataclass
class Bench:
    """Everything an attack can use. ``outcome``: of the last refresh."""

    folder: Path
    register: Register = field(default_factory=Register)
    at: int = START + DAY

    def __post_init__(self) -> None:
        self.north = Desk(self.folder / "north", self.register)
        self.north.policy(START, home="home: 1\n")
        self.north.policy(START, role="year", by=("eve",), lessons="lessons: 1\n")
        self.north.policy(START, power=True, service="service: 1\n")
        self.north.content(START, offer("first"))
        self.north.publish(START)
        self._south: Desk | None = None
        self._laptop: Laptop | None = None
        self.outcome: Outcome | None = None
        self.patches: list[Callable[[], object]] = []

    @property
    def south(self) -> Desk:
        if self._south is None:
            self._south = Desk(self.folder / "south", self.register, site="south")
            self._south.policy(START, home="home: south\n")
            self._south.policy(START, role="year", by=("eve",), lessons="lessons: south\n")
            self._south.publish(START)
        return self._south

    @property
    def laptop(self) -> Laptop:
        """Made when first asked for, with the root that is served first."""
        if self._laptop is None:
            self.enrol(self.north.history[-1])
        assert self._laptop is not None
        return self._laptop

    def enrol(self, files: Files) -> None:
        """Give the laptop its bootstrap root."""
        self._laptop = Laptop(self.folder / "laptop", identity("a"), files["metadata/1.root.json"])

    @property
    def files(self) -> Files:
        """What North publishes now."""
        return self.north.history[-1]

    def forge(self, files: Files | None = None) -> Forge:
        return Forge(files or self.files, self.north.online, self.register)

    def reading(self, at: int | None = None) -> Reading:
        at = self.at if at is None else at
        return Reading(at, at - START, "boot", False)

    def refresh(
        self,
        files: Files | None = None,
        *,
        at: int | None = None,
        reading: Reading | None = None,
        **more: Any,
    ) -> Outcome:
        if files is not None:
            self.laptop.serve(files)
        self.outcome = self.laptop.refresh(reading or self.reading(at), **more)
        return self.outcome

    def settle(self, files: Files | None = None) -> SiteView:
        """A refresh that must be accepted without reserve: what leads up to an attack."""
        outcome = self.refresh(files or self.files)
        assert outcome.view is not None, outcome.error
        assert outcome.view.refusals == (), outcome.view.refusals
        return outcome.view

    # -- what came of it

    @property
    def view(self) -> SiteView | None:
        """What the last refresh brought; None if it was refused."""
        assert self.outcome is not None, "the attack refreshed nothing"
        return self.outcome.view

    @property
    def codes(self) -> set[str]:
        """Why the last refresh, or parts of it, were refused."""
        assert self.outcome is not None
        found = {one.code for one in self.outcome.view.refusals} if self.outcome.view else set()
        return found | ({self.outcome.code} - {""})

    def holds(self, path: str, text: str | None = None) -> bool:
        """Whether a document is in force after all."""
        view = self.laptop.view()
        return view is not None and any(
            one.path == path and (text is None or one.data == text.encode()) for one in view.documents
        )

    def offers(self, name: str) -> bool:
        """Whether a catalogue that holds offers the item."""
        view = self.laptop.view()
        return view is not None and any(
            item.id == name for one in view.catalogues for item in one.catalogue.items
        )

    def accepted(self) -> bool:
        """Whether the last refresh was taken at all."""
        return self.view is not None

    def obeyed(self, *ids: str) -> bool:
        """Whether the last refresh obeyed these orders."""
        return self.view is not None and set(ids) <= {one.id for one in self.view.orders}

    # -- signing by anybody

    def order(self, by: Sequence[str] = ("ann",), *, at: int | None = None, **changes: Any) -> bytes:
        return self.north.order(self.laptop.identity, self.at if at is None else at, by=by, **changes)

    def mailed(
        self,
        *envelopes: bytes,
        to: DeviceIdentity | None = None,
        base: Files | None = None,
        log: CommandLog | None = None,
    ) -> Files:
        """Envelopes in the laptop's mailbox, by the holder of the online keys; ``log``: not the desk's
        own."""
        forge = self.forge(base)
        forge.file_log(self.north.log if log is None else log)
        plain = mailbox.make_mailbox(envelopes)
        forge.file_mail(self.laptop.mailbox, seal(plain, (to or self.laptop.identity).seal_key.public))
        return forge.finish(at=self.at)

    def with_root(
        self,
        edit: Callable[[Json], object],
        *,
        names: Sequence[str] = ("ann", "ben"),
        ids: dict[str, str] | None = None,
    ) -> Files:
        """North as it would be had its first root been another."""
        forge = self.forge()
        root = forge.root(1)
        edit(root)
        forge.put_root(root, names, ids=ids)
        files = forge.finish(at=self.at)
        return files

    def close(self) -> None:
        for undo in reversed(self.patches):
            undo()

    def patch(self, where: object, name: str, value: object) -> None:
        """Set something for this scenario, attack and control alike."""
        before = getattr(where, name)
        self.patches.append(lambda: setattr(where, name, before))
        setattr(where, name, value)


def list_key(keys: Json, name: str, keyid: str = "") -> str:
    """List a key in metadata, under its own id or another; gives the id."""
    keyid = keyid or key(name).public.keyid
    keys[keyid] = tuf_key(name)
    return keyid


def sign_ids(*names: str) -> dict[str, str]:
    """Key id → key name, for keys under their own ids."""
    return {key(name).public.keyid: name for name in names}
