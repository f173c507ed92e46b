"""Takes what students ask out of the folder where the portal leaves it, once, within bounds, and puts it
signed and sealed into the outbox.

The portal may be anybody's by now: its files are read by `agent.trust.asks`, a person or the whole laptop
asks so much and no more, and what is beyond an hour's share waits where it is. Of each request: noted in the
book (fsync), with the very bytes that will leave → outbox → the file is removed. Being cut off anywhere, the
next run goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from agent.core.clock import DAY, Now
from agent.core.errors import BookbagError
from agent.core.ids import is_id
from agent.core.ports import Outbox
from agent.store import atomic
from agent.store.statefile import StateFile
from agent.trust import asks, drafts, receipts
from agent.trust.asks import Request
from agent.trust.drafts import Draft
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealPublicKey

HOUR = 3600
MOST_OPEN = 20  #: of one person that wait for an answer
MOST_AN_HOUR = 5  #: of one person
MOST_OPEN_HERE = 60  #: of all persons of this laptop, whoever the portal says they are
MOST_AN_HOUR_HERE = 20
MOST_KEPT = 200  #: in the book, those that are over included
MOST_FILES = 256  #: of the portal's that are looked at; more are removed unread
AGAIN = 300  #: seconds after trouble
OVER = 60 * DAY  #: without an answer, a request counts as forgotten
#: What is wrong with a file that no other day will mend.
_FOR_GOOD = frozenset(("bad-envelope", "bad-json", "bad-path", "format-too-new", "too-large"))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request in the book. ``data``: the bytes on their way to the outbox; none once they are there."""

    person: str  #: user id, in digits
    request: Request
    name: str  #: of the return
    data: bytes = b""
    sent_at: int = 0  #: when it was seen that the school's host has it; 0: it waits here

    @property
    def id(self) -> str:
        """Its id."""
        return self.request.id


@dataclass(frozen=True, slots=True)
class Book:
    """The state file ``asks``, ``book.json``: oldest first."""

    asked: tuple[Asked, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How requests stand after a run. ``open``: how many are under way; ``unsent``: how many in
    the book were not delivered yet. ``again``: seconds until one that waits its turn may be taken; 0: none
    waits."""

    asked: tuple[Asked, ...]
    open: int
    unsent: int
    again: int


class Asking:
    """One run over the requests of one laptop. ``folder`` is the portal's; ``answered`` are the ids of
    requests that have an answer."""

    def __init__(self, path: str, folder: str, outbox: Outbox, now: Now, answered: Iterable[str]) -> None:
        self._file = StateFile(path, Book, "asks")
        self._folder = folder
        self._outbox = outbox
        self._now = now
        self._answered = frozenset(answered)
        self.trouble: list[BookbagError] = []  #: what kept no other request back
        self._book = self._read()

    def run(self, identity: DeviceIdentity | None, site: str, returns_key: SealPublicKey | None) -> Outlook:
        """Take what is new, if it is known for whom to seal it, and see what was delivered. What cannot be
        taken, for the disk is full, stays where it is."""
        again = 0
        drafts = self._drafts()
        try:
            if identity is not None:
                self._begin(identity.id)
            self._send()
            for draft in drafts:
                if identity is None or returns_key is None:
                    break  # nobody to ask yet: a new word brings us here again
                if wait := self._wait(draft):
                    again = min(again or wait, wait)
                    continue
                self._take(draft, identity, site, returns_key)
        except BookbagError as problem:
            self.trouble.append(problem)
            again = AGAIN
        asked = self._book.asked
        known = {one.id for one in asked}
        under_way = sum(1 for one in asked if self._is_open(one) or not one.sent_at)
        waiting = sum(1 for one in drafts if one.id not in known)
        return Outlook(asked, under_way + waiting, sum(1 for one in asked if not one.sent_at), again)

    def _begin(self, device: str) -> None:
        """A laptop that was enrolled anew asks anew: nobody reads what its former self had sealed."""
        mine = tuple(one for one in self._book.asked if one.request.device == device)
        if mine != self._book.asked:
            self._keep(replace(self._book, asked=mine))

    def _take(self, draft: Draft, identity: DeviceIdentity, site: str, returns_key: SealPublicKey) -> None:
        if not any(one.id == draft.id for one in self._book.asked):
            said = (draft.kind, draft.about, draft.address, draft.words)
            request = Request(draft.id, site, identity.id, *said, at=self._now.at)
            name = asks.return_name(site, identity.id, draft.id)
            data = receipts.make_return(asks.sign(request, identity), name, identity, returns_key)
            kept = _bounded((*self._book.asked, Asked(draft.person, request, name, data)), self._is_open)
            self._keep(replace(self._book, asked=kept))
        self._send()
        atomic.remove(f"{self._folder}/{draft.id}")

    def _send(self) -> None:
        """Into the outbox what is not there yet; and what has left it again was delivered."""
        waiting = frozenset(self._outbox.names())
        asked = tuple(self._further(one, waiting) for one in self._book.asked)
        if asked != self._book.asked:
            self._keep(replace(self._book, asked=asked))

    def _further(self, one: Asked, waiting: frozenset[str]) -> Asked:
        if one.data:
            return replace(one, data=b"") if self._put(one) else one
        if not one.sent_at and one.name not in waiting:
            return replace(one, sent_at=max(1, self._now.at))
        return one

    def _put(self, one: Asked) -> bool:
        try:
            self._outbox.put(one.name, one.data)
        except BookbagError as problem:
            if problem.code != "disk-full":
                raise
            self.trouble.append(problem)  # the book has it: the next run tries again
            return False
        return True

    def _wait(self, draft: Draft) -> int:
        """Seconds until this one may be taken; 0: now."""
        known = self._book.asked
        if any(one.id == draft.id for one in known):
            return 0
        here = [one for one in known if self._is_open(one)]
        mine = [one for one in here if one.person == draft.person]
        if len(mine) >= MOST_OPEN or len(here) >= MOST_OPEN_HERE:
            return HOUR
        since = self._now.at - HOUR
        newest = [one for one in known if since < one.request.at <= self._now.at]
        own = [one for one in newest if one.person == draft.person]
        waits = [
            found[-most].request.at - since
            for found, most in ((own, MOST_AN_HOUR), (newest, MOST_AN_HOUR_HERE))
            if len(found) >= most
        ]
        return max(waits, default=0)

    def _is_open(self, one: Asked) -> bool:
        return one.id not in self._answered and one.request.at + OVER > self._now.at

    def _drafts(self) -> list[Draft]:
        """What the portal left, by name. What can never be taken is removed."""
        names = []
        with atomic.named_errors("list", self._folder), os.scandir(self._folder) as entries:
            for entry in entries:
                if is_id(entry.name):
                    names.append(entry.name)
                if len(names) > MOST_FILES:
                    break
        found = []
        for number, name in enumerate(sorted(names)):
            try:
                if number >= MOST_FILES:
                    raise BookbagError("too-large", f"cannot look at more than {MOST_FILES} requests")
                data = atomic.read(f"{self._folder}/{name}", max_bytes=drafts.MOST_DRAFT)
                if data is not None:
                    found.append(drafts.parse_draft(data, name))
            except BookbagError as problem:
                self.trouble.append(problem)
                if problem.code in _FOR_GOOD:
                    self._drop(name)
        return found

    def _drop(self, name: str) -> None:
        try:
            atomic.remove(f"{self._folder}/{name}")
        except BookbagError as problem:
            self.trouble.append(problem)  # a folder, say: it takes up no room that counts

    def _read(self) -> Book:
        try:
            return self._file.read() or Book()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            self.trouble.append(problem)  # what was in the outbox goes out all the same
            return Book()

    def _keep(self, book: Book) -> None:
        self._file.write(book)
        self._book = book


def _bounded(asked: tuple[Asked, ...], is_open: Callable[[Asked], bool]) -> tuple[Asked, ...]:
    """The newest `MOST_KEPT`; what waits for an answer stays longer than what is over."""
    excess = len(asked) - MOST_KEPT
    if excess <= 0:
        return asked
    dropped = sorted(asked, key=lambda one: bool(one.data) or not one.sent_at or is_open(one))[:excess]
    gone = {one.id for one in dropped}
    return tuple(one for one in asked if one.id not in gone)
