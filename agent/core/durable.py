"""Files that survive a power cut: temp beside it, fsync, rename, fsync directory. The old one or the new one,
whole.

The one part of core that does IO, because rooms of every rank write state. Whatever the system refuses is a
BookbagError of `agent.core.faults` that names the path: ``disk-full``, ``io-error``, ``not-allowed``…
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.core.faults import explained

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: How an unfinished file's name ends; whoever is alone in a directory may remove such files.
UNFINISHED = ".tmp"


def write(
    path: str,
    data: bytes,
    *,
    mode: int = 0o600,
    owner: tuple[int, int] | None = None,
    synced: bool = True,
) -> None:
    """Make ``path`` hold exactly ``data``, with ``mode`` whatever the umask, and ``owner`` (uid, gid) if
    given.

    When this returns it is on the disk; when it raises, ``path`` is as it was (after a failing fsync of the
    directory: the new file, perhaps not yet durable). Not ``synced``, whoever reads sees the old one or the
    new one, and a power cut may leave neither: for what every start makes anew.
    """
    temporary = f"{path}.{os.urandom(6).hex()}{UNFINISHED}"
    try:
        fd = os.open(temporary, _CREATE, 0o600)
        try:
            write_all(fd, data)
            if owner is not None:
                os.fchown(fd, *owner)
            os.fchmod(fd, mode)
            if synced:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
    except OSError as error:
        drop(temporary)
        raise explained(error, "write", path) from None
    if synced:
        sync_directory(os.path.dirname(path))


def make_directories(path: str, *, mode: int = 0o700) -> None:
    """Make sure that the directory ``path`` exists, parents too, each durably known to its own parent.

    Raises ``bad-path`` if something else is there.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path.rstrip("/"))
    if parent:
        make_directories(parent, mode=mode)
    try:
        os.mkdir(path)
        os.chmod(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise BookbagError("bad-path", "cannot make directory: a file is there", place=path) from None
    except OSError as error:
        raise explained(error, "make the directory", path) from None
    sync_directory(parent)


def sync_directory(path: str) -> None:
    """Make renames, creations and removals in ``path`` (``""``: the working directory) survive a power
    cut."""
    try:
        fd = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise explained(error, "make changes durable in the directory", path or ".") from None


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, however little the system takes at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def drop(path: str) -> None:
    """Remove an unfinished file, as far as that goes."""
    try:  # noqa: SIM105 - contextlib costs the resident more than these lines
        os.unlink(path)
    except OSError:
        pass  # the first error is the one to tell about
