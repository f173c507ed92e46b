"""A terminal taken over: raw keys in, a page out, nothing that leads anywhere else."""

from __future__ import annotations

import os
import select
import signal
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from types import FrameType
from typing import Any

from agent.cli.locker.screen import Page
from agent.core.durable import write_all

MOST_ROWS, MOST_COLUMNS = 200, 500
#: Size of a terminal that does not know its own: a serial line.
ROWS, COLUMNS = 24, 80
READ = 4096
#: Cursor shown, plain letters, UTF-8, lines drawn in the order in which they come (terminals that turn lines
#: round).
BEGIN = b"\x1b%G\x1b[8l\x1b[?25h\x1b[0m\x1b[2J"
END = b"\x1b[0m\x1b[8h\x1b[2J\x1b[H"
#: What a keyboard sends to end, stop or hang up a program.
DEAF_TO = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGHUP)


class Ended(Exception):
    """Told to end, or the terminal is gone."""


class Terminal:
    """The terminal open as ``fd``, for reading and writing."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._drawn: list[str] = []
        self._size = (0, 0)
        self._cursor = (-1, -1)

    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        try:
            rows, columns = struct.unpack("HHHH", ioctl(self.fd, termios.TIOCGWINSZ, bytes(8)))[:2]
        except OSError:
            rows = columns = 0
        return min(rows or ROWS, MOST_ROWS), min(columns or COLUMNS, MOST_COLUMNS)

    def read(self, seconds: float) -> bytes:
        """What is typed within ``seconds``; ``b""`` if nothing. Raises `Ended` if the terminal is gone."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.fd, READ)
        except OSError:
            raise Ended from None
        if not data:
            raise Ended
        return data

    def forget(self) -> None:
        """Draw everything next time: others may have written over it."""
        self._drawn = []

    def draw(self, page: Page) -> None:
        """Bring the page to the screen: only lines that changed. Raises `Ended`."""
        rows, columns = size = self.size()
        out = bytearray()
        if size != self._size or not self._drawn:
            self._size, self._drawn = size, [""] * rows
            out += b"\x1b[0m\x1b[2J"
        for row in range(rows):
            line = page.lines[row] if row < len(page.lines) else ""
            text = f"\x1b[1m{line}\x1b[0m" if line and row in page.bold else line
            if text != self._drawn[row]:
                out += f"\x1b[{row + 1};1H{text}".encode("utf-8", "replace")
                out += b"" if len(line) >= columns else b"\x1b[K"
                self._drawn[row] = text
        if out or page.cursor != self._cursor:
            self._cursor = page.cursor
            out += f"\x1b[{page.cursor[0] + 1};{page.cursor[1] + 1}H".encode()
            self.write(bytes(out))

    def write(self, data: bytes) -> None:
        """Raises `Ended` if the terminal is gone."""
        try:
            write_all(self.fd, data)
        except OSError:
            raise Ended from None


@contextmanager
def taken(fd: int) -> Iterator[Terminal]:
    """The terminal, raw and deaf to its own control keys; afterwards as it was, where it still is."""
    before = termios.tcgetattr(fd)
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in DEAF_TO}
    handlers[signal.SIGTERM] = signal.signal(signal.SIGTERM, _end)
    terminal = Terminal(fd)
    try:
        termios.tcsetattr(fd, termios.TCSAFLUSH, _raw(before))
        terminal.write(BEGIN)
        yield terminal
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        try:
            write_all(fd, END)
            termios.tcsetattr(fd, termios.TCSAFLUSH, before)
        except (OSError, termios.error):
            pass  # it is gone


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended


def _raw(attributes: list[Any]) -> list[Any]:
    """Every key is a byte for us; what we write is not changed on its way, but for line ends."""
    flags = list(attributes[:4])
    flags[0] &= ~(
        termios.BRKINT | termios.ICRNL | termios.INLCR | termios.IGNCR | termios.INPCK | termios.ISTRIP
    )
    flags[0] &= ~(termios.IXON | termios.IXOFF)
    flags[0] |= termios.IGNBRK
    flags[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    return [*flags, *attributes[4:]]
