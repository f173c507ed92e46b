"""Bodies of requests as they arrive, all of them together within one bound of memory."""

from __future__ import annotations

from agent.web.http import HttpError

MOST = 32 << 20
AGAIN = 30  #: seconds until a client shall try again


class Room:
    """How many bytes of unfinished bodies may be held, by all connections together."""

    def __init__(self, most: int = MOST) -> None:
        self._left = most

    def take(self, size: int) -> None:
        """Raises HttpError 503 when there is no room."""
        if size > self._left:
            raise HttpError(503, "too much arrives at once", headers={"Retry-After": str(AGAIN)})
        self._left -= size

    def give(self, size: int) -> None:
        """The inverse."""
        self._left += size


class Body:
    """One body, held as it came: what is packed is unpacked when it is whole, one at a time."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = bytearray()

    def add(self, data: bytes) -> None:
        """The next bytes; how many there may be was checked before. Raises HttpError."""
        self._room.take(len(data))
        self._held += data

    def whole(self) -> bytes:
        """All of it; nothing is held any more."""
        data = bytes(self._held)
        self.drop()
        return data

    def drop(self) -> None:
        """Hold nothing any more (idempotent)."""
        self._room.give(len(self._held))
        self._held = bytearray()
