"""What students ask of the school: left where root looks for it, and read back as root tells it.

The portal can neither send nor sign anything. It writes a request down, whole or not at all, touches
``in/news``, and from then on shows what root says of it in ``told.json``.
"""

from __future__ import annotations

import os
import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.content import marks
from agent.core.errors import BookbagError
from agent.core.ids import is_id
from agent.portal.people import Who
from agent.portal.public import Public, mapping, rows, text, whole
from agent.store import atomic
from agent.trust import drafts
from agent.trust.drafts import Draft
from agent.web.rates import Rates

MOST_OPEN = 20  #: that wait for an answer; root counts for itself
#: Requests that may follow each other at once, and seconds that earn one more: five an hour.
BURST, REFILL = 5, 720.0
MOST_FILES = 256
NEWS = "news"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Wish:
    """One request as somebody made it: what root tells of it, or what waits for root. ``at`` and ``sent_at``:
    0 while that is not known. ``said``: the exact text that is sealed."""

    id: str
    kind: str
    about: str
    address: str
    words: str
    at: int = 0
    sent_at: int = 0
    said: str = ""
    answer: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return not self.answer

    def is_like(self, other: Draft) -> bool:
        """Whether it asks for the same, in whatever words."""
        return (self.kind, self.about, self.address) == (other.kind, other.about, other.address)


class Asking:
    """The requests of this laptop's students; ``folder`` is `Layout.asks`."""

    def __init__(self, folder: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._in = f"{folder}/in"
        self._told = Public(folder)
        self._clock = clock
        self._rates = Rates(BURST, REFILL)

    def of(self, who: Who) -> list[Wish]:
        """What ``who`` asked, newest first: what root has not seen yet before everything else."""
        if who.is_guest:
            return []
        told = [_wish(row) for row in self._rows() if text(row, "person") == who.key]
        known = {one.id for one in told}
        return [*(one for one in self._waiting(who) if one.id not in known), *told]

    def others(self, who: Who) -> int:
        """How many requests of other people were sent from this laptop."""
        return sum(1 for row in self._rows() if text(row, "person") != who.key and whole(row, "sent_at"))

    def check(self, who: Who, draft: Draft) -> None:
        """Raises ``already-done`` for what ``who`` has asked already, ``too-many`` beyond what may wait."""
        open_ones = [one for one in self.of(who) if one.is_open]
        if any(one.is_like(draft) for one in open_ones):
            raise BookbagError("already-done", "cannot ask this twice: no answer has come yet")
        if len(open_ones) >= MOST_OPEN:
            raise BookbagError("too-many", f"cannot ask more: {MOST_OPEN} requests wait for an answer")

    def leave(self, who: Who, draft: Draft) -> None:
        """Leave it for root, durably; the same id again is the same request. Raises what `check` raises,
        ``too-many`` if that comes too often, ``bad-argument``, ``disk-full`` and the like."""
        if who.is_guest or draft.person != who.key or not is_id(draft.id):
            raise BookbagError("bad-argument", "cannot ask for somebody else")
        data = drafts.draft_bytes(draft)
        if any(one.id == draft.id for one in self.of(who)):
            return
        self.check(who, draft)
        if self._rates.wait(who.key, self._clock()):
            raise BookbagError("too-many", f"cannot ask more than {BURST} times an hour")
        path = f"{self._in}/{draft.id}"
        if os.path.lexists(path):
            raise BookbagError("already-done", "cannot ask under this id: it is another's")
        # Whoever may pass through the folder, root, must be able to read it without any right of its own.
        atomic.write(path, data, mode=0o644)
        marks.leave(self._in, NEWS)

    def _rows(self) -> list[Mapping[str, object]]:
        return rows(self._told.read("told"), "asks")

    def _waiting(self, who: Who) -> list[Wish]:
        """What root has not taken yet."""
        try:
            names = [name for name in sorted(os.listdir(self._in)) if is_id(name)][:MOST_FILES]
        except OSError:
            return []
        found = []
        for name in names:
            try:
                data = atomic.read(f"{self._in}/{name}", max_bytes=drafts.MOST_DRAFT)
                draft = drafts.parse_draft(data or b"", name)
            except BookbagError:
                continue
            if draft.person == who.key:
                found.append(Wish(name, draft.kind, draft.about, draft.address, draft.words))
        return found


def one_line(words: str) -> str:
    """What somebody wrote, without line ends and what cannot be seen."""
    plain = " ".join(unicodedata.normalize("NFC", words).split())
    return "".join(letter for letter in plain if drafts.is_plain(letter))


def host_of(address: str) -> str:
    """The site in what somebody copied from a browser's address line; "" if none is. What stands behind the
    name would tell more than has to be known."""
    bare = _SCHEME.sub("", address.strip().lower(), count=1)
    host = re.split(r"[/?#\\\s]", bare, maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    host = host.removeprefix("*.").rstrip(".")
    try:
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return host if drafts.is_host(host) else ""


def _wish(row: Mapping[str, object]) -> Wish:
    return Wish(
        text(row, "id"),
        text(row, "kind"),
        text(row, "about"),
        text(row, "address"),
        text(row, "words"),
        at=whole(row, "at"),
        sent_at=whole(row, "sent_at"),
        said=text(row, "said"),
        answer=mapping(row, "answer"),
    )
