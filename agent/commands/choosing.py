"""What people at this laptop chose from the shelf: kept in two copies of root's own, and taken out of the
folder where the portal leaves it.

Nothing but what is offered gets in; whether it still is, every compilation asks again. Nobody gives back what
another chose. Of each file: renamed, so that a later word about the same is not lost → noted in the book
(fsync) → removed. Being cut off anywhere, the next run goes on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.store import atomic
from agent.store.twinfile import TwinFile
from agent.trust import choices
from agent.trust.choices import LEFT, TAKEN, Choice

HOUR = 3600
MOST_OF_ONE = 100  #: that one person chose
MOST = 300  #: in the book
MOST_AN_HOUR = 60  #: changes of mind of one person
MOST_IN_ALL = 300  #: of all: a portal that is somebody else's makes persons up
MOST_PERSONS = 100  #: of one program
MOST_FILES = 256  #: of the portal's that are looked at in one run
#: Whoever may give back what others chose.
ROOT = ""
_FOR_GOOD = frozenset(("bad-envelope", "bad-json", "bad-path", "format-too-new", "too-large"))


@dataclass(frozen=True, slots=True)
class Picked:
    """One name, and the user ids of all who chose it."""

    package: str
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """Who changed something, at trusted unix seconds."""

    person: str
    at: int


@dataclass(frozen=True, slots=True)
class Choices:
    """The state file ``choices``, in the order of choosing. ``device``: who the laptop was."""

    device: str = ""
    picked: tuple[Picked, ...] = ()
    changed: tuple[Changed, ...] = ()  #: of the last hour
    count: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)

    def rows(self, device: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What was chosen on ``device``, by whom: nothing of a former life of the laptop."""
        mine = self.picked if self.device == device else ()
        return tuple((one.package, one.persons) for one in mine)


def open_file(path: str) -> TwinFile[Choices]:
    """What is kept at ``path`` and ``path.2``."""
    return TwinFile(path, Choices, "choices", remedy="what was chosen stays as it was last taken in")


class Choosing:
    """One run over the choices of one laptop. ``offered``: what may be chosen; ``known``: what of the choices
    was taken in last, for a book of which no copy can be read."""

    def __init__(
        self,
        path: str,
        folder: str,
        device: str,
        offered: frozenset[str],
        known: tuple[tuple[str, tuple[str, ...]], ...],
        at: int,
    ) -> None:
        self._file = open_file(path)
        self._folder = folder
        self._device = device
        self._offered = offered
        self._at = at
        self.trouble: list[BookbagError] = []  #: what kept no other choice back
        self.waits = 0  #: files that wait for their hour, or for a disk with room
        self._book = self._read(known)

    @property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Everything that is chosen now."""
        return self._book.rows(self._device)

    def take(self) -> None:
        """Take what the portal left. What was refused is told, and removed."""
        for file in self._files():
            path = f"{self._folder}/{file.replace(LEFT, TAKEN, 1)}"
            try:
                if file.startswith(LEFT):
                    if os.path.isdir(path):
                        _clear(path)
                    with atomic.named_errors("take", path):
                        os.rename(f"{self._folder}/{file}", path)
                self._take(path, file.replace(TAKEN, LEFT, 1))
            except BookbagError as problem:
                self.trouble.append(problem)
                self.waits += 1

    def _take(self, path: str, file: str) -> None:
        try:
            data = _read(path)
            if data is not None:
                self.choose(choices.parse_choice(data, file))
        except BookbagError as problem:
            if problem.code not in (*_FOR_GOOD, "not-offered", "not-found", "too-many"):
                raise
            self.trouble.append(problem)
        _clear(path)

    def choose(self, choice: Choice) -> None:
        """Note it. Raises ``not-offered``, ``not-found`` where nothing can be given back, ``too-many``."""
        found = dict(self.rows)
        mine = found.get(choice.package, ())
        wanted = self._with(choice, found, mine) if choice.wanted else _without(choice, mine)
        if wanted == mine:
            return
        recent = tuple(one for one in self._book.changed if self._at - HOUR < one.at <= self._at)
        if choice.person != ROOT and sum(one.person == choice.person for one in recent) >= MOST_AN_HOUR:
            raise BookbagError("too-many", f"cannot change this now: {MOST_AN_HOUR} times an hour are enough")
        if choice.person != ROOT and len(recent) >= MOST_IN_ALL:
            raise BookbagError("too-many", f"cannot change this now: {MOST_IN_ALL} times an hour are enough")
        found[choice.package] = wanted
        picked = tuple(Picked(name, persons) for name, persons in found.items() if persons)
        recent = (*recent, Changed(choice.person, self._at)) if choice.person != ROOT else recent
        self._keep(replace(self._book, device=self._device, picked=picked, changed=recent))

    def _with(
        self, choice: Choice, found: dict[str, tuple[str, ...]], mine: tuple[str, ...]
    ) -> tuple[str, ...]:
        if choice.package not in self._offered:
            raise BookbagError(
                "not-offered",
                f"cannot choose {choice.package}: your school does not offer it on this laptop",
                remedy="see `bookbag software` for what it offers",
            )
        if choice.person in mine:
            return mine
        if len(mine) >= MOST_PERSONS:
            raise BookbagError("too-many", f"cannot keep more than {MOST_PERSONS} persons for one program")
        if sum(choice.person in persons for persons in found.values()) >= MOST_OF_ONE:
            raise BookbagError(
                "too-many", f"cannot choose more than {MOST_OF_ONE} programs: give one back first"
            )
        if len(found) >= MOST and choice.package not in found:
            for name in [one for one in found if one not in self._offered]:
                del found[name]
        if len(found) >= MOST and choice.package not in found:
            raise BookbagError("too-many", f"cannot keep more than {MOST} choices on one laptop")
        return (*mine, choice.person)

    def _files(self) -> list[str]:
        """What root began with first, then what the portal left, by name."""
        begun, left = [], []
        with atomic.named_errors("list", self._folder), os.scandir(self._folder) as entries:
            for entry in entries:
                if choices.is_choice(entry.name, TAKEN):
                    begun.append(entry.name)
                elif choices.is_choice(entry.name):
                    left.append(entry.name)
                if len(begun) + len(left) >= MOST_FILES:
                    self.waits += 1
                    break
        return [*sorted(begun), *sorted(left)]

    def _read(self, known: tuple[tuple[str, tuple[str, ...]], ...]) -> Choices:
        try:
            return self._file.read() or Choices()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            self.trouble.append(problem)
        # What was taken in last is what everybody on the laptop sees: it is written down anew.
        book = Choices(self._device, tuple(Picked(name, persons) for name, persons in known))
        return self._file.write(book) if known else book

    def _keep(self, book: Choices) -> None:
        self._book = self._file.write(book)


def _read(path: str) -> bytes | None:
    """What the portal left. Raises ``bad-path`` also for what root may not read: that waits for nothing."""
    try:
        return atomic.read(path, max_bytes=choices.MOST_BYTES)
    except BookbagError as problem:
        if problem.code != "not-allowed":
            raise
        raise BookbagError("bad-path", problem.message, place=path) from problem


def _clear(path: str) -> None:
    """Nothing is at ``path`` any more. A folder is no choice, and must not be in the way of one."""
    if not os.path.isdir(path) or os.path.islink(path):
        atomic.remove(path)
        return
    try:
        os.rmdir(path)
    except OSError:
        # Its name behind it, or before an ending, could be a choice again.
        aside = f"{os.path.dirname(path)}/aside-{os.urandom(6).hex()}"
        with atomic.named_errors("set aside", path):
            os.rename(path, aside)


def _without(choice: Choice, mine: tuple[str, ...]) -> tuple[str, ...]:
    if not mine or choice.person not in (ROOT, *mine):
        raise BookbagError(
            "not-found", f"cannot give {choice.package[:110]} back: you have not chosen it on this laptop"
        )
    return () if choice.person == ROOT else tuple(one for one in mine if one != choice.person)
