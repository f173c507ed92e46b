"""What root says about the lock, in ``lock.json``: read whatever may lie there, shown without harm."""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.core.jsontext import parse

MAX_BYTES = 1 << 16
MAX_TEXT = 2000  #: characters of a message
MAX_LINE = 200  #: characters of a contact, challenge or language code
MAX_LANGUAGES = 8


@dataclass(frozen=True, slots=True)
class Notice:
    """The lock as the screen tells it. ``locked`` is None where nothing readable says so."""

    locked: bool | None = None
    message: dict[str, str] = field(default_factory=dict)  #: language → text
    contact: str = ""
    challenge: str = ""
    wait_s: int = 0  #: seconds, when this was written, until an answer counts
    erase_at: int = 0  #: unix seconds; 0: it will not be erased


class NoticeFile:
    """The notice at ``path``, read again when the file is another one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mark: tuple[int, ...] | None = None
        self._notice = Notice()

    def read(self) -> tuple[Notice, bool]:
        """(what it says, whether that was read anew)."""
        try:
            status = os.stat(self._path)
        except OSError:
            mark: tuple[int, ...] = ()
        else:
            mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        if mark == self._mark:
            return self._notice, False
        self._mark = mark
        self._notice = read(self._path)
        return self._notice, True


def read(path: str) -> Notice:
    """The notice in the file at ``path``; one that says nothing if it is absent or malformed."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            regular = stat.S_ISREG(os.fstat(fd).st_mode)
            found = parse(os.read(fd, MAX_BYTES + 1), what=path, max_bytes=MAX_BYTES) if regular else None
        finally:
            os.close(fd)
    except (OSError, BookbagError):
        return Notice()
    if not isinstance(found, dict) or found.get("v") != 1 or not isinstance(found.get("locked"), bool):
        return Notice()
    message = found.get("message")
    texts = list(message.items())[:MAX_LANGUAGES] if isinstance(message, dict) else []
    return Notice(
        locked=found["locked"] is True,
        message={_line(code): _text(text, MAX_TEXT) for code, text in texts if _text(text, MAX_TEXT)},
        contact=_line(found.get("contact")),
        challenge=_line(found.get("challenge")),
        wait_s=_number(found.get("wait_s"), 24 * 3600),
        erase_at=_number(found.get("erase_at"), 1 << 40),
    )


def _number(value: object, most: int) -> int:
    return min(value, most) if type(value) is int and value > 0 else 0


def _line(value: object) -> str:
    return " ".join(_text(value, MAX_LINE).split())


def _text(value: object, most: int) -> str:
    """``value`` if it is a text: line breaks kept, other control and invisible characters gone."""
    if not isinstance(value, str):
        return ""
    kept = (char for char in value[: 4 * most] if char == "\n" or unicodedata.category(char)[0] not in "C")
    return "".join(kept).strip()[:most]
