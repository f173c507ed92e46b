"""What crashed writes of ours leave: temporary files and new directories, told by their names."""

from __future__ import annotations

import os
from contextlib import suppress

_LEFTOVER = ".bookbag-"
_LENGTH = len(_LEFTOVER) + 16
_HEX = frozenset("0123456789abcdef")


def leftover() -> str:
    """A name that is one until it is renamed."""
    return _LEFTOVER + os.urandom(8).hex()


def is_leftover(name: str) -> bool:
    """Whether this is such a name."""
    return name.startswith(_LEFTOVER) and len(name) == _LENGTH and _HEX.issuperset(name[len(_LEFTOVER) :])


def clear_leftovers(directory: int) -> None:
    """Take away ours from the directory that is open as ``directory``."""
    for name in os.listdir(directory):
        with suppress(FileNotFoundError):
            if (
                is_leftover(name)
                and os.stat(name, dir_fd=directory, follow_symlinks=False).st_uid == os.geteuid()
            ):
                _clear(name, directory)


def _clear(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except IsADirectoryError:
        with suppress(OSError):  # one of ours is empty; what is not stays
            os.rmdir(name, dir_fd=directory)
