"""Walls around a worker of the sandbox, without root: it may write only below given directories (Landlock).

On a laptop each worker has a unit with a user and walls of its own; in the sandbox all run as one user, and
this is what keeps the promise that nothing outside the folder is touched, for a worker's defects too. It
holds for what creates, writes, truncates, renames and removes. It does not hold for chmod, chown and
timestamps, for Unix sockets, or for reading; and kernels before 5.13 have none of it: then `confine` says
so, and status can.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable

from agent.core.errors import BookbagError

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_GET_VERSION = 1
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38
#: write-file, and all that makes or removes names: remove-dir to make-sym.
_WRITE = 1 << 1 | sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE = 1 << 13, 1 << 14  # since versions 2 and 3
_ON_FILES = 1 << 1 | _TRUNCATE
_TCP = 1 << 0 | 1 << 1  # bind and connect, since version 4
#: Written to by whoever throws something away.
_ALWAYS = ("/dev/null",)


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Which Landlock this kernel has; 0 if none."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_GET_VERSION))))


def confine(writable: Iterable[str], *, network: bool) -> bool:
    """From now on this process, and all that it starts, writes below the ``writable`` directories only.

    Without ``network`` no TCP either, where the kernel can refuse it (6.7). For ever: there is no way back.
    Returns False, and nothing is confined, where the kernel has no Landlock. Raises ``not-supported`` if it
    fails half-way, and OSError for a directory that is not there.
    """
    known = version()
    if not known:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    handled = _WRITE | (_REFER if known >= 2 else 0) | (_TRUNCATE if known >= 3 else 0)
    net = _TCP if known >= 4 and not network else 0
    wanted = _Ruleset(handled, net)
    size = ctypes.sizeof(wanted) if known >= 4 else 8
    ruleset = _checked(
        libc.syscall(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), ctypes.c_uint32(0))
    )
    try:
        for path in writable:
            _allow(libc, ruleset, path, handled)
        for path in _ALWAYS:
            _allow(libc, ruleset, path, handled & _ON_FILES)
        _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    finally:
        os.close(ruleset)
    return True


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> None:
    fd = os.open(path, getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(access, fd)
        add = (ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
        _checked(libc.syscall(_ADD_RULE, *add))
    finally:
        os.close(fd)


def _checked(result: int) -> int:
    if result < 0:
        why = os.strerror(ctypes.get_errno())
        raise BookbagError("not-supported", f"cannot put walls around this process: {why}")
    return result
