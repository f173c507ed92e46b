"""Takes sealed returns from laptops over HTTP: PUT once under a strict name; 201 means it is on the disk.

What is inside is sealed to the desk; nothing here can read it. Whose a receipt is, is proven by the signature
around it, before anything is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from agent.core import returns
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.fleet.returnbox import ReturnBox, most_bytes
from agent.web.answers import Answer, Sink, text_answer
from agent.web.bodies import Body, Room
from agent.web.http import HttpError, Request

#: What is wrong with a return → how that is answered; anything else is that there is no room.
STATUS = {"already-done": 409, "bad-envelope": 403, "bad-signature": 403, "not-found": 403}


class Judge(Protocol):
    """Who says which returns are taken (`agent.fleet.expected.Expected`)."""

    def expects(self, name: str) -> bool:
        """Whether one of that name is worth reading."""
        ...

    def is_new(self, name: str, data: bytes) -> bool:
        """Whether it is to be stored; False if it was dealt with. Raises BookbagError."""
        ...


class Returns:
    """Handler of ``PUT /returns/NAME``."""

    def __init__(
        self,
        box: ReturnBox,
        judge: Judge,
        room: Room | None = None,
        heard: Callable[[str], None] = lambda name: None,
    ) -> None:
        """``heard`` is told of each new one that is stored."""
        self._box = box
        self._judge = judge
        self._room = room or Room()
        self._heard = heard

    def put(self, request: Request) -> Sink:
        """Where to put the body. Raises HttpError before a byte of it is read."""
        name = request.path.removeprefix("/returns/")
        if not returns.NAME.match(name):
            raise HttpError(404, "no such return")
        length = request.content_length()
        if length is None:
            raise HttpError(411, "send a Content-Length")
        if not 1 <= length <= most_bytes(name):
            raise HttpError(413, f"this return has 1 to {most_bytes(name)} bytes")
        if request.headers.get("expect", "100-continue").lower() != "100-continue":
            raise HttpError(417, "only 100-continue")
        if not self._judge.expects(name):
            raise HttpError(403, "nobody expects this return")
        return _Upload(self._box, self._judge, name, Body(self._room), self._heard)


class _Upload:
    """One body as it arrives, bounded by the Content-Length that `put` has checked."""

    def __init__(
        self, box: ReturnBox, judge: Judge, name: str, body: Body, heard: Callable[[str], None]
    ) -> None:
        self._box = box
        self._judge = judge
        self._name = name
        self._body = body
        self._heard = heard

    def write(self, data: bytes) -> None:
        self._body.add(data)

    def finish(self) -> Answer:
        try:
            data = self._body.whole()
            new = self._judge.is_new(self._name, data) and self._box.store(self._name, data)
        except BookbagError as error:
            raise HttpError(STATUS.get(error.code, 507), error.message, keep=True) from None
        except OSError as error:
            status = 507 if explained(error, "store it", self._name).code == "disk-full" else 500
            raise HttpError(status, "the return could not be stored", keep=True) from None
        if new:
            self._heard(self._name)
        return text_answer(201, "stored") if new else text_answer(200, "already stored")

    def abort(self) -> None:
        self._body.drop()
