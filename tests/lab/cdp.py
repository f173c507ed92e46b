"""The browser's DevTools protocol over a pipe: JSON messages ended by NUL, no port and no websocket."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any, Protocol

from tests.lab.errors import LabError, TimedOut, last_lines
from tests.lab.guest import end

#: Started inside the laptop: gives the browser its pipe where it looks for it, at descriptors 3 and 4.
_AS_3_AND_4 = """
import os, sys
os.dup2(0, 3)
os.dup2(1, 4)
nothing = os.open("/dev/null", os.O_RDWR)
os.dup2(nothing, 0)
os.dup2(2, 1)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Starts(Protocol):
    """Where a browser can be started: a laptop of the lab, or this machine."""

    def start(
        self, argv: Sequence[str], *, user: str | None, stdin: int, stdout: int, stderr: IO[Any]
    ) -> subprocess.Popen[bytes]:
        """Start a program and return at once."""
        ...


class Conversation:
    """A browser started somewhere, and the talk with it; each answer may take ``timeout`` seconds."""

    def __init__(self, place: Starts, argv: Sequence[str], user: str, timeout: float = 30) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = place.start(
            ["python3", "-c", _AS_3_AND_4, *argv],
            user=user,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        self._timeout = timeout
        self._number = 0
        self._buffer = b""
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Ask the browser, or with ``session`` one of its pages. Raises `LabError` if it refuses or died."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        try:
            self._to.write(json.dumps(message).encode() + b"\0")
            self._to.flush()
        except BrokenPipeError:
            raise LabError(f"cannot ask the browser for {method}: it has ended\n{self.said()}") from None
        until = time.monotonic() + self._timeout
        while True:
            answer = self._receive(until, method)
            if answer.get("id") == self._number:
                break
            self._events.append(answer)
        if "error" in answer:
            raise LabError(f"the browser refuses {method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait_event(self, method: str, session: str) -> Mapping[str, Any]:
        """The parameters of an event of a page, come already or to come. Raises `TimedOut`."""
        until = time.monotonic() + self._timeout
        while True:
            for event in self._events:
                if event.get("method") == method and event.get("sessionId") == session:
                    self._events.remove(event)
                    found: Mapping[str, Any] = event["params"]
                    return found
            self._events.append(self._receive(until, method))

    def events(self, session: str) -> list[dict[str, Any]]:
        """What a page has told since this was asked last, without waiting."""
        self.call("Browser.getVersion")  # whatever was said before the answer has come by then
        mine = [event for event in self._events if event.get("sessionId") == session]
        self._events = [event for event in self._events if event.get("sessionId") != session]
        return mine

    def said(self) -> str:
        """The last lines that the browser wrote to standard error."""
        self._words.seek(0)
        return last_lines(self._words.read().decode("utf-8", errors="replace"))

    def close(self) -> None:
        """Close the browser as a person would, so that it saves its settings; kill it if it will not."""
        try:
            self.call("Browser.close")
            self._process.wait(10)
        except (LabError, subprocess.TimeoutExpired):
            pass
        finally:
            end(self._process)
            self._to.close()
            self._from.close()
            self._words.close()

    def _receive(self, until: float, what: str) -> dict[str, Any]:
        with selectors.DefaultSelector() as selector:
            selector.register(self._from, selectors.EVENT_READ)
            while b"\0" not in self._buffer:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimedOut(f"the browser says nothing to {what}\n{self.said()}")
                data = os.read(self._from.fileno(), 1 << 16)
                if not data:
                    raise LabError(f"the browser ended at {what}\n{self.said()}")
                self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        decoded: dict[str, Any] = json.loads(message)
        return decoded
