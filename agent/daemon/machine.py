"""This laptop as an enforce run sees it: its host, its time, what it enforces, and the engine that brings the
one to the other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from agent import __version__
from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Entry
from agent.daemon import arranging, choosing, generations, wiring
from agent.daemon.enforced import Enforced, Pause, compiled_path, enforced_file, pause_file, trials_file
from agent.policy import compiled as cache
from agent.policy.compiled import Compiled
from agent.policy.enforcement.confirm import Contact
from agent.policy.enforcement.engine import Engine
from agent.policy.enforcement.memory import EngineState
from agent.policy.enforcement.trials import Trying
from agent.store.statefile import StateFile

if TYPE_CHECKING:
    from agent.commands.sessions import Session
    from agent.core.ports import Undo
    from agent.policy.arranging import Arrangement
    from agent.policy.choosing import Chosen
    from agent.trust.verified import Verified
    from agent.trust.view import SiteView

T = TypeVar("T")


class Machine:
    """Opens everything lazily. ``troubles`` gathers what was damaged and mended on the way, for the
    journal.
    """

    def __init__(self, layout: Layout, contact: Mapping[str, object] | None = None) -> None:
        """``contact``: what is known of the newest try to reach the service."""
        self.layout = layout
        self._contact = contact or {}
        self.host = wiring.open_host(layout)
        self.troubles: list[BookbagError] = []
        self.ledger = wiring.open_ledger(layout)
        self._clock = wiring.open_clock(layout, self.host)
        self._arranged: tuple[int, Arrangement | None] | None = None  #: as of that time
        self._chosen: Chosen | None = None
        self.now = self._read_clock()
        self.enforced = self._enforced()

    # -- time

    def _read_clock(self) -> Now:
        now = self._clock.now()
        self._note_clock()
        return now

    def _note_clock(self) -> None:
        trouble = self._clock.trouble
        if trouble is not None and trouble.code not in (one.code for one in self.troubles):
            self.troubles.append(trouble)

    @property
    def timetable_now(self) -> int | None:
        """The time that timetables go by, unix seconds; None where it is not known."""
        return self._clock.by_timetable(self.now)

    def session(self) -> tuple[Session, int]:
        """What a teacher started last, and the seconds that it still lasts: none of what was started before
        this laptop was enrolled anew."""
        clock, sessions = self.host.clock, wiring.open_sessions(self.layout)
        session, left = sessions.count(self.now.at, clock.boottime(), clock.boot_id())
        identity = self.tolerant(partial(wiring.identity_of, self.layout)) if left else None
        return session, left if identity is not None and identity.id == session.device else 0

    @property
    def started(self) -> tuple[str, int] | tuple[()]:
        """The timetable that a teacher has on here, and for how many seconds in all; empty: none."""
        session, left = self.session()
        return (session.timetable, session.length) if left else ()

    def believe(self, word: Verified[SiteView]) -> None:
        """Take in the signed time of a verified word."""
        view = word.value
        self.now = self._clock.believe_signed(
            view.signed_at,
            root_expires=view.root_expires,
            targets_expires=view.targets_expires,
            by=view.time_keys,
        )
        self._note_clock()

    # -- what is enforced

    def _enforced(self) -> Enforced:
        known = self.tolerant(enforced_file(self.layout).read)
        if known is not None and (not known.generation or os.path.isdir(self.folder(known.generation))):
            return known
        newest = generations.newest(self.layout)
        return Enforced(generation=newest) if newest else Enforced()

    def keep(self, enforced: Enforced) -> None:
        """Remember durably what is enforced from now on."""
        if enforced != self.enforced:
            enforced_file(self.layout).write(enforced)
            self.enforced = enforced

    def folder(self, generation: str) -> str:
        """Where a generation lies."""
        return f"{self.layout.generations}/{generation}"

    def compiled(self) -> Compiled | None:
        """The policy in force; None if no word was ever taken. Compiled anew from the generation if the cache
        will not do. A damaged generation is taken from the mirror once more; until then what was compiled of
        it last stays in force, whatever hour it was for.
        """
        if not self.enforced.generation:
            return None
        found = None
        if self.enforced.program == __version__ and self.enforced.fingerprint:
            found = cache.load(compiled_path(self.layout), self.enforced.fingerprint)
            timely = found is not None and found.timely(self.timetable_now, self.started)
            if found is not None and timely and self._is_as_here(found):
                return found
        from agent.daemon.compiling import enforcing
        from agent.trust.generation import load_generation

        try:
            word = load_generation(self.folder(self.enforced.generation))
        except BookbagError as problem:
            self.keep(replace(self.enforced, seen=""))
            if found is None or problem.code not in ("state-corrupt", "not-found"):
                raise
            self.troubles.append(problem)
            return found
        compiled = self.compile(word)
        self.keep(enforcing(self.enforced, word.value, compiled))
        return compiled

    def compile(self, word: Verified[SiteView]) -> Compiled:
        """The compiled policy of a verified word, at this time; what is in force does not change by this."""
        from agent.daemon.compiling import compile_view
        from agent.policy.arranging import NOTHING

        arrangement = self.arrangement() or NOTHING
        made = compile_view(
            self.layout,
            word.value,
            self.timetable_now,
            self.tolerant,
            arrangement,
            self.started,
            self.chosen(),
        )
        if made.new_word:
            text = f"{len(word.value.documents)} documents, policy {made.compiled.told[:16]}"
            self.record("word", word.value.site, "taken", message=text)
        for policy, outcome in made.turns:
            self.record("schedule", f"policy:{policy}", outcome)
        return made.compiled

    def arrangement(self) -> Arrangement | None:
        """What is arranged for the student of this laptop, now."""
        if self._arranged is None or self._arranged[0] != self.now.at:
            read = partial(arranging.arrangement, self.layout, self.now.at)
            self._arranged = self.now.at, self.tolerant(read)
        return self._arranged[1]

    def chosen(self) -> Chosen:
        """What people here chose from the shelf. Where root's memory of it is damaged, what was taken in
        last."""
        if self._chosen is None:
            damaged = len(self.troubles)
            found = self.tolerant(partial(choosing.chosen, self.layout))
            last = cache.load(compiled_path(self.layout)) if len(self.troubles) > damaged else None
            self._chosen = found or choosing.taken_in(last)
        return self._chosen

    def _is_as_here(self, compiled: Compiled) -> bool:
        """Whether it has in it what is arranged and chosen here, and no more."""
        held = self.arrangement()
        return (
            compiled.arrangement == (held.digest if held else "") and compiled.choice == self.chosen().digest
        )

    # -- acting

    def engine(self) -> Engine:
        """The engine for this machine at this time."""
        memory = _Memory(StateFile(self.layout.state_file("engine"), EngineState, "engine"), self.troubles)
        return Engine(self.host, self.undo(), self.ledger, memory, self.now.at, self.trying())

    def trying(self) -> Trying:
        """What is on trial, and how the service was reached last."""
        links = self.host.links
        return Trying(
            _Memory(trials_file(self.layout), self.troubles),
            self._newest_contact(),
            linked=links is not None and links.up(),
            now=self.now.at,
            own=self._own_names(),
        )

    def _own_names(self) -> tuple[str, ...]:
        names = self._contact.get("hosts")
        return tuple(str(one)[:253] for one in names[:8]) if isinstance(names, list) else ()

    def _newest_contact(self) -> Contact | None:
        ago = self._contact.get("ago_s")
        if type(ago) is not int or ago < 0:
            return None
        # A second earlier than told: what was applied meanwhile was not there when it began.
        return Contact(self.now.at - ago - 1, self._contact.get("good") is True)

    def undo(self) -> Undo:
        """The journal of what was there before."""
        return wiring.open_undo(self.layout)

    def record(self, kind: str, subject: str, outcome: str, code: str = "", message: str = "") -> None:
        """One row in the ledger."""
        self.ledger.append(Entry(kind, subject, outcome, code, message, self.now.at))

    # -- pause

    def pause(self) -> tuple[Pause, int | None] | None:
        """The pause that is on, and the seconds it still lasts; None of them: until somebody ends it."""
        pause = self.tolerant(pause_file(self.layout).read)
        if pause is None:
            return None
        left = pause.left(self.host.clock.boottime(), self.host.clock.boot_id())
        return None if left == 0 else (pause, left)

    def tolerant(self, read: Callable[[], T | None]) -> T | None:
        """Damaged state is set aside by whoever reads it first; here it is noted, and counts as absent."""
        try:
            return read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            self.troubles.append(problem)
            return None


class _Memory(Generic[T]):
    """What the engine remembers; damaged, it costs the counts of flapping or a trial, not the run."""

    def __init__(self, file: StateFile[T], troubles: list[BookbagError]) -> None:
        self._file = file
        self._troubles = troubles

    def read(self) -> T | None:
        """What was remembered."""
        try:
            return self._file.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            self._troubles.append(problem)
            return None

    def write(self, value: T) -> None:
        """Remember."""
        self._file.write(value)
