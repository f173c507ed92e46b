"""A directory with exactly these attributes: a new one appears whole, one there keeps what it holds."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from agent.host.leftovers import leftover

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OPEN = OPEN_DIRECTORY | os.O_NOFOLLOW


def dressed_directory(holder: int, name: str, dress: Callable[[int], None]) -> None:
    """Make ``name`` in the directory ``holder`` one that ``dress`` was called with, durable but for its name.
    Raises OSError: ENOTDIR or ELOOP where something else is there.
    """
    try:
        there = os.open(name, _OPEN, dir_fd=holder)
    except FileNotFoundError:
        _new(holder, name, dress)
    else:
        _dressed(there, dress)


def _new(holder: int, name: str, dress: Callable[[int], None]) -> None:
    temporary = leftover()
    os.mkdir(temporary, 0o700, dir_fd=holder)
    try:
        _dressed(os.open(temporary, _OPEN, dir_fd=holder), dress)
        os.rename(temporary, name, src_dir_fd=holder, dst_dir_fd=holder)
    except BaseException:
        with suppress(OSError):
            os.rmdir(temporary, dir_fd=holder)
        raise


def _dressed(fd: int, dress: Callable[[int], None]) -> None:
    try:
        dress(fd)
        os.fsync(fd)
    finally:
        os.close(fd)
