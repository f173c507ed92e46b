"""Every durable change to the state directory: all or nothing, and on the disk before the call returns.

`agent.core.durable` does the writing. Errors of the system have the names of `agent.core.faults`:
``disk-full``, ``not-allowed``, ``not-found``, ``bad-path``, ``io-error``.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.faults import explained

#: Why something cannot take the place of something else: one of them is a directory.
_OTHER_KIND = (errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST)
_REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def named_errors(verb: str, path: str) -> Iterator[None]:
    """Turn an OSError inside into "cannot ``verb``: why", about ``path``."""
    try:
        yield
    except OSError as problem:
        raise explained(problem, verb, path) from problem


def write(path: str, data: bytes, *, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Make ``path`` hold exactly ``data`` with ``mode`` and ``owner`` (uid, gid); the directory must
    exist."""
    durable.write(path, data, mode=mode, owner=owner)


def read(path: str, *, max_bytes: int) -> bytes | None:
    """The bytes of a regular file; None if nothing is there. Never follows a last link, never waits on a
    FIFO.

    Raises ``bad-path`` if it is no regular file, ``too-large`` beyond ``max_bytes``.
    """
    with named_errors("read", path):
        try:
            fd = os.open(path, _REGULAR)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(os.fstat(fd).st_mode):  # before `open`, which leaves a folder's descriptor open
            os.close(fd)
            raise BookbagError("bad-path", "cannot read: this is not a regular file", place=path)
        with open(fd, "rb", buffering=0) as file:
            parts, total = [], 0
            while part := file.read(min(1 << 20, max_bytes + 1 - total)):
                parts.append(part)
                total += len(part)
                if total > max_bytes:
                    raise BookbagError("too-large", f"cannot read: more than {max_bytes} bytes", place=path)
            return b"".join(parts)


def remove(path: str) -> None:
    """Make sure that no file is at ``path`` (absent: nothing to do)."""
    with named_errors("remove", path):
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        durable.sync_directory(os.path.dirname(path))


def set_aside(path: str) -> str:
    """Rename what is at ``path``, of whatever kind, to ``path.corrupt`` (in place of an earlier one); returns
    that."""
    aside = f"{path}.corrupt"
    with named_errors("set aside", path):
        try:
            os.rename(path, aside)
        except OSError as problem:
            if problem.errno not in _OTHER_KIND:
                raise
            aside = f"{path}.{os.urandom(6).hex()}.corrupt"
            os.rename(path, aside)
        durable.sync_directory(os.path.dirname(path))
    return aside


def make_dir(path: str, *, mode: int = 0o700, owner: tuple[int, int] | None = None) -> None:
    """Make sure that ``path`` is a directory with ``mode`` and ``owner`` (uid, gid); missing parents get that
    mode."""
    with named_errors("make directory", path):
        durable.make_directories(path, mode=mode)
        found = os.stat(path)
        if owner is not None and (found.st_uid, found.st_gid) != owner:
            os.chown(path, *owner)
        elif stat.S_IMODE(found.st_mode) == mode:
            return
        os.chmod(path, mode)
        durable.sync_directory(path)


def sweep(directory: str) -> int:
    """Remove what writers left behind that died half-way; for whoever is alone in ``directory``. Returns how
    many."""
    with named_errors("sweep", directory):
        left = [name for name in os.listdir(directory) if name.endswith(durable.UNFINISHED)]
        for name in left:
            os.unlink(os.path.join(directory, name))
        if left:
            durable.sync_directory(directory)
    return len(left)
