"""Takes sealed returns from laptops over HTTP: PUT once under a strict name; 201 means it is on the disk.

What is inside is sealed to the desk; nothing here can read it.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.fleet.returnbox import MAX_BYTES, NAME, ReturnBox
from agent.web.answers import Answer, Sink, text_answer
from agent.web.http import HttpError, Request


class Returns:
    """Handler of ``PUT /returns/NAME``."""

    def __init__(self, box: ReturnBox, *, known: Callable[[str], bool] = lambda name: True) -> None:
        """``known`` says whether a return of that name is expected at all."""
        self._box = box
        self._known = known

    def put(self, request: Request) -> Sink:
        """Where to put the body. Raises HttpError before a byte of it is read."""
        name = request.path.removeprefix("/returns/")
        if not NAME.match(name):
            raise HttpError(404, "no such return")
        length = request.content_length()
        if length is None:
            raise HttpError(411, "send a Content-Length")
        if not 1 <= length <= MAX_BYTES:
            raise HttpError(413, f"a return has 1 to {MAX_BYTES} bytes")
        if request.headers.get("expect", "100-continue").lower() != "100-continue":
            raise HttpError(417, "only 100-continue")
        if not self._known(name):
            raise HttpError(403, "nobody expects this return")
        return _Upload(self._box, name)


class _Upload:
    """One body as it arrives, bounded by the Content-Length that `put` has checked."""

    def __init__(self, box: ReturnBox, name: str) -> None:
        self._box = box
        self._name = name
        self._body = bytearray()

    def write(self, data: bytes) -> None:
        self._body += data

    def finish(self) -> Answer:
        try:
            new = self._box.store(self._name, bytes(self._body))
        except BookbagError as error:
            status = 409 if error.code == "already-done" else 507
            raise HttpError(status, error.message, keep=True) from None
        except OSError as error:
            status = 507 if explained(error, "store it", self._name).code == "disk-full" else 500
            raise HttpError(status, "the return could not be stored", keep=True) from None
        return text_answer(201, "stored") if new else text_answer(200, "already stored")

    def abort(self) -> None:
        self._body.clear()
