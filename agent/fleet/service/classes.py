"""The door for teachers: ``POST /class/look`` and ``POST /class/orders``.

A request is judged before it is kept (`agent.fleet.classroom.door`); a thread files and publishes what was
taken, so that no laptop waits for a signature or a disk.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from agent.core.errors import BookbagError
from agent.fleet.classroom import words
from agent.fleet.classroom.door import Door
from agent.fleet.service.filer import Filer
from agent.web.answers import Answer, Sink, text_answer
from agent.web.bodies import Body, Room
from agent.web.crowd import address
from agent.web.http import HttpError, Request
from agent.web.rates import Rates

#: Requests of one address that no teacher signed: at once, and seconds that earn one more.
BURST, REFILL = 40, 2.0
#: Requests of one teacher that were signed.
TEACHER_BURST, TEACHER_REFILL = 60, 2.0
#: Bytes of unfinished requests: apart from those of laptops, whom nobody keeps out by what comes here.
ROOM = 16 << 20
_MOST = {words.LOOK: words.MOST_LOOK, words.ORDERS: words.MOST_POST}


class Classes:
    """Handler of both paths. ``now``: unix seconds."""

    def __init__(self, door: Door, filer: Filer, now: Callable[[], int], room: Room | None = None) -> None:
        self._door = door
        self._filer = filer
        self._now = now
        self._room = room or Room(ROOM)
        self._addresses = Rates(BURST, REFILL)
        self._teachers = Rates(TEACHER_BURST, TEACHER_REFILL)

    def post(self, request: Request) -> Sink:
        """Where to put the body. Raises HttpError before a byte of it is read."""
        most = _MOST.get(request.path)
        if most is None:
            raise HttpError(404, "not found")
        sender = address(request.ends)
        self._count(self._addresses, sender)
        length = request.content_length()
        if length is None:
            raise HttpError(411, "send a Content-Length")
        if not 1 <= length <= most:
            raise HttpError(413, f"a request here has 1 to {most} bytes")
        if request.headers.get("expect", "100-continue").lower() != "100-continue":
            raise HttpError(417, "only 100-continue")
        return _Upload(self, request.path, sender, Body(self._room))

    def answer(self, path: str, sender: Hashable, data: bytes) -> Answer:
        """One whole request of ``sender``. Raises HttpError."""
        try:
            return self._look(sender, data) if path == words.LOOK else self._take(sender, data)
        except BookbagError as error:
            status = 503 if error.code in ("too-many", "io-error", "disk-full") else 403
            raise HttpError(status, f"{error.message} [{error.code}]", keep=True) from None

    def _look(self, sender: Hashable, data: bytes) -> Answer:
        view = self._door.look(data, self._filer.held, lambda one: self._count_signed(sender, [one]))
        return Answer(200, {"Content-Type": words.CONTENT_TYPE, "Cache-Control": "no-store"}, view.to_bytes())

    def _take(self, sender: Hashable, data: bytes) -> Answer:
        taken = self._door.take(data)
        self._count_signed(sender, sorted({one.teacher for one in taken}))
        self._filer.file(taken)
        return text_answer(202, "taken; look again to see it published")

    def _count_signed(self, sender: Hashable, teachers: Sequence[str]) -> None:
        """Several teachers may come from one address, as through a proxy: what was signed counts for them."""
        for teacher in teachers:
            self._count(self._teachers, teacher)
        if teachers:
            self._addresses.give_back(sender)

    def _count(self, rates: Rates, who: Hashable) -> None:
        wait = rates.wait(who, self._now())
        if wait:
            raise HttpError(429, "not that often", headers={"Retry-After": str(wait)})


class _Upload:
    """One body as it arrives, of the length that `Classes.post` has checked."""

    def __init__(self, classes: Classes, path: str, sender: Hashable, body: Body) -> None:
        self._classes = classes
        self._path = path
        self._sender = sender
        self._body = body

    def write(self, data: bytes) -> None:
        self._body.add(data)

    def finish(self) -> Answer:
        return self._classes.answer(self._path, self._sender, self._body.whole())

    def abort(self) -> None:
        self._body.drop()
