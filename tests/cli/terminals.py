"""A terminal to run a full-screen program on: what its screen shows, keys to type, a size to change."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from typing import Self

from tests.leaks import REPOSITORY

PATIENCE = 20.0
_CODE = re.compile(rb"\x1b(?:\[([0-9;?]*)([@-~])|%G)")


class Screen:
    """What a terminal shows, for the few codes that a plain program needs; any other is an error."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.cells = [[" "] * columns for _ in range(rows)]
        self.row = self.column = 0
        self._rest = b""

    def take(self, data: bytes) -> None:
        data = self._rest + data
        at = 0
        while at < len(data):
            if data[at] == 0x1B:
                match = _CODE.match(data, at)
                if match is None:
                    if len(data) - at > 20:
                        raise AssertionError(f"a code that no plain terminal knows: {data[at : at + 20]!r}")
                    break
                self._code(match.group(1) or b"", match.group(2) or b"G")
                at = match.end()
                continue
            size = 1 if data[at] < 0xC0 else 2 if data[at] < 0xE0 else 3 if data[at] < 0xF0 else 4
            if at + size > len(data):
                break
            self._put(data[at : at + size].decode())
            at += size
        self._rest = data[at:]

    def _put(self, char: str) -> None:
        if char in "\r\n":
            self.column = 0
            self.row += char == "\n"
            return
        assert char.isprintable(), f"{char!r} reached the terminal"
        assert self.row < self.rows and self.column < self.columns, f"{char!r} is beyond the screen"
        self.cells[self.row][self.column] = char
        self.column += 1

    def _code(self, numbers: bytes, letter: bytes) -> None:
        values = [int(one) if one.isdigit() else 0 for one in numbers.split(b";")]
        if letter == b"H":
            self.row, self.column = (max(one - 1, 0) for one in (*values, 1)[:2])
        elif letter == b"J":
            self.cells = [[" "] * self.columns for _ in range(self.rows)]
        elif letter == b"K":
            self.cells[self.row][self.column :] = [" "] * (self.columns - self.column)
        else:
            assert letter in b"mhlG", letter

    @property
    def lines(self) -> list[str]:
        return ["".join(row).rstrip() for row in self.cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


class Running:
    """``python -m agent WORDS`` on a terminal of its own."""

    def __init__(
        self, words: Sequence[str], *, rows: int = 24, columns: int = 80, kind: str = "xterm", **more: str
    ) -> None:
        self._master, slave = pty.openpty()
        self.resize(rows, columns)
        environment = {"PATH": os.environ["PATH"], "TERM": kind, "LANG": "en_GB.UTF-8", **more}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agent", *words],
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            cwd=REPOSITORY,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        self.slave = slave

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        for fd in (self._master, self.slave):
            if fd >= 0:
                os.close(fd)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = Screen(rows or 24, columns or 80)

    def type(self, keys: str | bytes) -> None:
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def until(self, true: Callable[[Screen], object], what: str = "") -> Screen:
        """Read what it draws until ``true(screen)``."""
        end = time.monotonic() + PATIENCE
        while not true(self.screen):
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what or true}; it shows\n{self.screen.text}")
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    self.screen.take(os.read(self._master, 65536))
                except OSError:
                    break
        return self.screen

    def shows(self, *texts: str) -> Screen:
        """Wait until all of ``texts`` are on the screen."""
        return self.until(lambda screen: all(text in screen.text for text in texts), " and ".join(texts))

    def hang_up(self) -> None:
        """The line is gone."""
        os.close(self.slave)
        os.close(self._master)
        self._master = self.slave = -1

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None
