"""Which letters this terminal can show, and a text in letters that it can.

The console of Linux has 256 or 512 glyphs and says which; it joins no letters and turns no line round. Of a
terminal on a serial line only Latin is taken for granted. Others are left to the terminal program.
"""

from __future__ import annotations

import ctypes
import fcntl
import unicodedata
from collections.abc import Callable

from agent.cli.locker.bidi import join

GIO_UNIMAP = 0x4B66
MOST_PAIRS = 65535
#: Terminals that show what Unicode has, of those that a login may name.
ANYTHING = ("xterm", "screen", "tmux", "rxvt", "konsole", "gnome", "vte", "alacritty", "foot", "kitty")
_LATIN = range(0x20, 0x250)

#: Whether one character can be shown.
Shows = Callable[[str], bool]


class _Pairs(ctypes.Structure):
    """struct unimapdesc of <linux/kd.h>."""

    _fields_ = (("count", ctypes.c_ushort), ("entries", ctypes.c_void_p))


def shows_of(fd: int, terminal: str) -> Shows:
    """What the terminal open as ``fd``, of the kind that ``$TERM`` names, can show."""
    if terminal.startswith(ANYTHING):
        return lambda char: char.isprintable()
    letters = _console_letters(fd) if terminal == "linux" else None
    if letters is None:
        return lambda char: ord(char) in _LATIN and char.isprintable()
    return lambda char: ord(char) in letters


def _console_letters(fd: int) -> frozenset[int] | None:
    """The characters that the console's font has; None if it does not say."""
    entries = (ctypes.c_ushort * (2 * MOST_PAIRS))()
    pairs = _Pairs(MOST_PAIRS, ctypes.addressof(entries))
    try:
        fcntl.ioctl(fd, GIO_UNIMAP, pairs)
    except OSError:
        return None
    return frozenset(entries[2 * at] for at in range(pairs.count))


def can_show(text: str, shows: Shows) -> bool:
    """Whether every letter of ``text``, in the form in which it would be drawn, can be shown."""
    return all(shows(char) for char in plain(join(text), shows) if not char.isspace())


def plain(text: str, shows: Shows) -> str:
    """``text`` with signs that the terminal lacks replaced by their like: an accent is dropped, an em dash is
    -.
    """
    return "".join(char if shows(char) or char.isspace() else _like(char, shows) for char in text)


_LIKE = str.maketrans(
    {"…": "...", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "•": "*"}
)


def _like(char: str, shows: Shows) -> str:
    bare = unicodedata.normalize("NFKD", char.translate(_LIKE))
    found = "".join(one for one in bare if not unicodedata.combining(one))
    return found if found and all(map(shows, found)) else char


def width(text: str) -> int:
    """How many cells ``text`` takes."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
