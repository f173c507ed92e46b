"""What a folder of a laptop holds, seen from outside: bytes, modes, owners, links, extended attributes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence

from tests.lab.guest import Guest

#: Attributes that are the disk's own business, not the laptop's.
_NOT_OURS = ("trusted.overlay.", "security.selinux")


def snapshot(laptop: Guest, top: str, leave_out: Sequence[str] = ()) -> dict[str, str]:
    """Path → one line that changes when anything but times does. ``leave_out``: what is not looked at."""
    root = str(laptop.path(top))
    found: dict[str, str] = {top: _line(root)}
    for folder, folders, files in os.walk(root):
        inside = top + folder[len(root) :]
        folders[:] = [name for name in folders if f"{inside}/{name}" not in leave_out]
        for name in (*folders, *(name for name in files if f"{inside}/{name}" not in leave_out)):
            found[f"{inside}/{name}"] = _line(f"{folder}/{name}")
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """One line per path that is not the same in both, with what it was and is."""
    paths = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    return [f"{path}: {before.get(path, 'absent')} → {after.get(path, 'absent')}" for path in paths]


def _line(path: str) -> str:
    info = os.lstat(path)
    kind = stat.S_IFMT(info.st_mode)
    content = ""
    if kind == stat.S_IFREG:
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()[:16]
    elif kind == stat.S_IFLNK:
        content = os.readlink(path)
    names = [name for name in os.listxattr(path, follow_symlinks=False) if not name.startswith(_NOT_OURS)]
    attributes = [f"{name}={os.getxattr(path, name, follow_symlinks=False).hex()}" for name in sorted(names)]
    return " ".join([f"{info.st_mode:o}", f"{info.st_uid}:{info.st_gid}", content, *attributes])
