"""A teacher's laptop and the school's service: it looks, signs one order for each laptop here, sends them,
and looks until they are published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet.classroom import words
from agent.fleet.classroom.words import FRESH, Look, Row, View
from agent.fleet.keyfile import PersonKeys
from agent.fleet.orders import Laptop, Wish, payload_of
from agent.sync.connection import Deadline
from agent.sync.https import HttpsSource
from agent.sync.ports import Posted
from agent.trust import dsse
from agent.trust.orders import MOST_JUMP

PATIENCE = 60  #: looks at what became of it, a second apart
SEND_AGAIN = 15  #: of them, before it is sent once more
TOO_SOON = 4  #: times that one request is sent again while the service has no time for it
MOST_MISSED = 20  #: looks that may go unanswered before it is given up
_LONGEST = 600.0  #: seconds for all of it
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of what was sent. ``held``: (laptop, why); ``silent``: laptops of which nothing was said
    in time."""

    published: tuple[str, ...]
    held: tuple[tuple[str, str], ...]
    silent: tuple[str, ...]


class Classroom:
    """One teacher's word with one service. ``pause`` sleeps for some seconds."""

    def __init__(
        self,
        url: str,
        ca_file: str,
        keys: PersonKeys,
        now: Callable[[], int],
        pause: Callable[[float], None],
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise BookbagError("bad-argument", "cannot use this address: it begins with https://", place=url)
        self._host = HttpsSource(url, ca_file, Deadline(_LONGEST))
        self._keys = keys
        self._now = now
        self._pause = pause

    def close(self) -> None:
        """Hang up."""
        self._host.close()

    def look(self, class_: str, school: str) -> View:
        """What is on in a class ("": in all classes of this teacher). Raises ``network``, ``not-allowed``,
        ``clock-suspect``, and for an answer that is none."""
        asked = words.make_look(Look(class_, school, self._now()), self._keys.sign)
        answer = self._post(words.LOOK, asked)
        if answer.status != 200 or answer.kind != words.CONTENT_TYPE:
            raise _refused(answer)
        view = words.read_view(answer.body)
        if abs(view.at - self._now()) > FRESH:
            raise BookbagError(
                "clock-suspect",
                f"cannot sign: the clock here and the school's are {abs(view.at - self._now()) // 60} "
                "minutes apart",
                remedy="set the clock of this laptop",
            )
        return view

    def file(self, view: View, rows: Sequence[Row], wish: Wish, step: Callable[[int], None]) -> Filed:
        """Sign ``wish`` for each, and see to it that it is published. ``step`` hears of how many more this is
        decided. Raises as `look`, unless it was sent."""
        made = {row.name: self._signed(view, row, wish) for row in rows}
        classes = {row.class_ for row in rows}
        shown = classes.pop() if len(classes) == 1 else ""
        ids = {name: order for name, (order, _) in made.items()}
        published: set[str] = set()
        held: dict[str, str] = {}
        missed = 0
        for turn in range(PATIENCE):
            open_ = [name for name in made if name not in published and name not in held]
            # Once it was sent, a service that is just started anew says nothing of what became of it.
            with suppress(BookbagError) if turn else nullcontext():
                if turn % SEND_AGAIN == 0:
                    self._send([made[name][1] for name in open_])
            self._pause(0.3 if turn < 3 else 1.0)
            before = len(open_)
            seen = self._seen(shown)
            missed += seen is None
            if missed > MOST_MISSED:
                break
            for row in seen or ():
                if row.name in open_ and row.order == ids[row.name]:
                    published.add(row.name)
                elif row.name in open_ and row.held == ids[row.name]:
                    held[row.name] = row.why
            left = len(made) - len(published) - len(held)
            step(before - left)
            if not left:
                break
        silent = tuple(name for name in made if name not in published and name not in held)
        return Filed(tuple(sorted(published)), tuple(sorted(held.items())), silent)

    def _seen(self, class_: str) -> Sequence[Row] | None:
        """What there is now; None if nobody says."""
        try:
            return self.look(class_, "").rows
        except BookbagError:
            return None

    def _signed(self, view: View, row: Row, wish: Wish) -> tuple[str, bytes]:
        """(id, envelope). Never dated ahead of this clock: what the service says of the time can make an
        order older, not hold it back for later."""
        now = min(self._now(), view.at)
        seq = max(now, row.seq + 1)
        if seq > now + MOST_JUMP:
            raise BookbagError("seq-jump", f"cannot sign for {row.name}: its numbers run ahead of the time")
        laptop = Laptop(row.device, row.serial_sha256, view.site, view.epoch)
        payload = payload_of(laptop, wish, seq, now)
        envelope = dsse.sign(jsontext.canonical(payload), dsse.ORDER_TYPE, [self._keys.sign])
        return str(payload["id"]), envelope

    def _send(self, envelopes: Sequence[bytes]) -> None:
        for first in range(0, len(envelopes), words.MOST_ORDERS):
            body = words.make_orders(envelopes[first : first + words.MOST_ORDERS])
            answer = self._post(words.ORDERS, body)
            if answer.status != 202:
                raise _refused(answer)

    def _post(self, path: str, body: bytes) -> Posted:
        """One request; again, a few times, if it was too soon: what was sent may be published already."""
        headers: Mapping[str, str] = {"Content-Type": words.CONTENT_TYPE}
        answer = self._host.post(path.strip("/"), dict(headers), body, words.MOST_VIEW)
        for _ in range(TOO_SOON):
            if answer.status not in (429, 503) or answer.retry_after > 60:
                break
            self._pause(float(max(1, answer.retry_after)))
            answer = self._host.post(path.strip("/"), dict(headers), body, words.MOST_VIEW)
        return answer


def _refused(answer: Posted) -> BookbagError:
    text = answer.body[:500].decode("utf-8", "replace").strip()
    if answer.status == 403:
        why = "" if not text else f": {text}"
        return BookbagError(
            "not-allowed",
            f"the school's service refuses it{why}",
            remedy="IT knows which classes a key is for, and until when: bookbag-fleet teacher",
        )
    if answer.status in (404, 405):
        return BookbagError("network", "cannot find the door for teachers at this address", remedy="ask IT")
    return BookbagError("network", f"the school's service answers {answer.status}: {text}")
