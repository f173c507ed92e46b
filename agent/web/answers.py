"""What a handler gives back: an answer with bytes or a source of them, or a sink for a body."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent.web.http import HttpError, Request


class Source(Protocol):
    """Bytes of an answer that are read while they are sent."""

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        ...

    def read(self, limit: int) -> bytes:
        """The next bytes, at most ``limit``; ``b""`` when all were read, or if there are fewer than was
        promised."""
        ...

    def close(self) -> None:
        """Let go of what is held (idempotent)."""
        ...


class FileSlice:
    """``length`` bytes of an open file from ``first``; owns the descriptor and closes it once."""

    def __init__(self, fd: int, first: int, length: int) -> None:
        self._fd = fd
        self._at = first
        self._left = length

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return self._left

    def read(self, limit: int) -> bytes:
        """The next bytes, at most ``limit``; ``b""`` when all were read (or the file was cut short
        meanwhile)."""
        data = os.pread(self._fd, min(limit, self._left), self._at)
        self._at += len(data)
        self._left -= len(data)
        return data

    def close(self) -> None:
        """Give the descriptor back (idempotent)."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. ``headers`` lack Content-Length, Date and Connection: the connection adds them."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Source = b""

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.left


class Sink(Protocol):
    """Takes a request's body as it arrives."""

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises HttpError."""
        ...

    def finish(self) -> Answer:
        """The body is complete. Raises HttpError."""
        ...

    def abort(self) -> None:
        """The body will never be complete; leave nothing behind (idempotent, also after finish)."""
        ...


class Handler(Protocol):
    """Answers requests of one listener. Never blocks on a network."""

    def handle(self, request: Request) -> Answer | Sink:
        """The answer, or, for a request with a body, where to put it. Raises HttpError."""
        ...


def text_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """A short plain-text answer."""
    return Answer(
        status, {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}, f"{text}\n".encode()
    )


def error_answer(error: HttpError) -> Answer:
    """The answer that tells a client of ``error``."""
    return text_answer(error.status, error.text, error.headers)
