"""What is under test, and how the checks reach around it: tampering and looking are done without the port."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.host.base import Files


class LeftOut(Exception):
    """This machine cannot show it; says why."""


@dataclass(frozen=True)
class Subject:
    """One host's files, and an empty directory of the laptop to play in."""

    files: Files
    folder: str  #: what lies before a laptop path on this machine: "" or the sandbox's folder
    area: str  #: laptop path of an existing empty directory
    outside: str  #: a real empty directory that the host has no business in
    real: bool  #: attributes are the kernel's, not simulated

    def at(self, name: str) -> str:
        """Laptop path of ``name`` in the area."""
        return f"{self.area}/{name}"

    def there(self, name: str = "") -> str:
        """The real path of ``name`` in the area."""
        return f"{self.folder}{self.area}/{name}" if name else f"{self.folder}{self.area}"

    def can_own(self) -> bool:
        """Whether any owner can be given."""
        return not self.real or os.geteuid() == 0

    def me(self) -> tuple[str, str]:
        """Owner and group that any process may give: root's in the sandbox and to root, else our own."""
        if self.can_own():
            return ("root", "root")
        return (pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name)


def refused(code: str, what: Callable[..., object], *arguments: object) -> BookbagError:
    """``what(*arguments)`` must fail with ``code``."""
    try:
        result = what(*arguments)
    except BookbagError as error:
        assert error.code == code, f"expected {code}, got {error.code}: {error}"
        assert error.message.startswith("cannot "), error.message
        return error
    raise AssertionError(f"expected {code}, but it returned {result!r}")


def put(path: str, content: bytes = b"tampered", mode: int = 0o644) -> None:
    """Write a real file, as anybody with the right would."""
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def get(path: str) -> bytes:
    """Read a real file."""
    with open(path, "rb") as file:
        return file.read()


def leftovers(path: str) -> list[str]:
    """Temporary files that a failed write left in a real directory."""
    return [name for name in os.listdir(path) if name.startswith(".bookbag-")]


def need_root() -> None:
    """Leave the check out unless we are root."""
    if os.geteuid() != 0:
        raise LeftOut("needs root")


@contextmanager
def mounted(path: str, kind: str, options: str = "") -> Iterator[None]:
    """A file system of its own at the real directory ``path``."""
    import ctypes

    need_root()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"bookbag", os.fsencode(path), kind.encode(), 0, options.encode()) != 0:
        raise LeftOut(f"may not mount {kind}: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        libc.umount2(os.fsencode(path), 2)  # MNT_DETACH: even if the port keeps a directory open


@contextmanager
def read_only(path: str) -> Iterator[None]:
    """The mounted file system at ``path``, read-only for a while."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    remount = 32  # MS_REMOUNT
    assert libc.mount(None, os.fsencode(path), None, remount | 1, None) == 0
    try:
        yield
    finally:
        libc.mount(None, os.fsencode(path), None, remount, None)


@contextmanager
def immutable(path: str) -> Iterator[None]:
    """A real file that not even root may change or replace (chattr +i)."""
    import fcntl

    need_root()
    get_flags, set_flags, flag = 0x80086601, 0x40086602, 0x10
    fd = os.open(path, os.O_RDONLY)
    try:
        flags = 0
        try:
            flags = int.from_bytes(fcntl.ioctl(fd, get_flags, b"\0" * 8)[:4], "little")
            fcntl.ioctl(fd, set_flags, (flags | flag).to_bytes(8, "little"))
        except OSError as error:
            raise LeftOut(f"no immutable files here: {error.strerror}") from error
        try:
            yield
        finally:
            fcntl.ioctl(fd, set_flags, (flags & ~flag).to_bytes(8, "little"))
    finally:
        os.close(fd)


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def clear(path: str) -> None:
    """Remove a real tree, however deep."""
    with suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            _clear_inside(fd)
        finally:
            os.close(fd)
        os.rmdir(path)


def _clear_inside(fd: int) -> None:
    """Empty the directory ``fd``. Deep trees are pulled up level by level instead of recursing."""
    while names := os.listdir(fd):
        for name in names:
            if not stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=fd)
                continue
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
            try:
                for number, deeper in enumerate(os.listdir(inner)):
                    os.rename(deeper, f"{os.urandom(8).hex()}-{number}", src_dir_fd=inner, dst_dir_fd=fd)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=fd)
