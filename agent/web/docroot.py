"""Opens files below one folder for strangers: component by component, no links, no dotfiles, regular files
only."""

from __future__ import annotations

import os
import re
import stat
from urllib.parse import unquote_to_bytes

from agent.web.http import HttpError

_COMPONENT = re.compile(r"[A-Za-z0-9_%~@+=,-][A-Za-z0-9._%~@+=,-]{0,254}\Z")
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def components(raw_path: str) -> tuple[str, ...]:
    """The decoded parts of a request path, e.g. ``("metadata", "1.root.json")``. Raises HttpError 404 for
    odd ones.

    Decoded once. A part that still holds a slash, a dot in front or anything outside a small alphabet names
    nothing here.
    """
    parts = []
    for raw in raw_path.removeprefix("/").split("/"):
        try:
            part = unquote_to_bytes(raw).decode("ascii")
        except UnicodeDecodeError:
            raise HttpError(404, "not found", keep=True) from None
        if not _COMPONENT.match(part):
            raise HttpError(404, "not found", keep=True)
        parts.append(part)
    if len(parts) > 8:
        raise HttpError(404, "not found", keep=True)
    return tuple(parts)


def open_below(folder: str, parts: tuple[str, ...]) -> tuple[int, os.stat_result]:
    """(descriptor, stat) of the regular file ``parts`` below ``folder``. Raises HttpError 404 for anything
    else.

    Each directory is opened by descriptor with O_NOFOLLOW, so no symlink below ``folder`` is followed,
    whenever it
    appears; O_NONBLOCK so that a FIFO is no trap.
    """
    fd = -1
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for part in parts[:-1]:
            fd, parent = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=fd), fd
            os.close(parent)
        fd, parent = os.open(parts[-1], _FLAGS, dir_fd=fd), fd
        os.close(parent)
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(parts[-1])
    except OSError:
        if fd >= 0:
            os.close(fd)
        raise HttpError(404, "not found", keep=True) from None
    return fd, status
