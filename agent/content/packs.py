"""The packs that are here: whole and of the right hash, or not here at all.

``packs/HH/HASH`` below the store. A pack comes in as a copy of foreign bytes, hashed while it is copied, and
gets its name when it is on the disk. Reading one gives pieces; the scrub reads all of it again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator

from agent.content.manifest import Piece
from agent.content.pieces import unpack
from agent.core import durable
from agent.core.errors import BookbagError
from agent.store.atomic import named_errors

STEP = 256 << 10  #: bytes copied or hashed at a time
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Packs:
    """Blobs by hash below ``folder``: packs and manifests alike."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, sha256: str) -> str:
        """Where it lies, or would."""
        return f"{self.folder}/{sha256[:2]}/{sha256}"

    def size(self, sha256: str) -> int | None:
        """Its bytes; None if it is not here."""
        try:
            return os.lstat(self.path(sha256)).st_size
        except OSError:
            return None

    def all(self) -> Iterator[str]:
        """Every blob that is here, sorted."""
        for short in _names(self.folder):
            yield from (
                name for name in _names(f"{self.folder}/{short}") if name[:2] == short and len(name) == 64
            )

    def take(self, fd: int, sha256: str, size: int) -> None:
        """Copy the open file ``fd``, whoever wrote it: at most ``size`` bytes, kept only if they are ``size``
        bytes with that hash. Raises ``bad-content``, ``disk-full``, ``io-error``."""
        path = self.path(sha256)
        with named_errors("keep learning content", path):
            durable.make_directories(os.path.dirname(path), mode=0o750)
            temporary = f"{path}.{os.urandom(6).hex()}{durable.UNFINISHED}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            out = os.open(temporary, flags, 0o640)
            try:
                try:
                    if _copy(fd, out, size) != sha256:
                        raise BookbagError(
                            "bad-content", "cannot take this blob: it is damaged", place=sha256
                        )
                    os.fchmod(out, 0o640)
                    os.fsync(out)
                finally:
                    os.close(out)
                os.rename(temporary, path)
                durable.sync_directory(os.path.dirname(path))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise

    def read(self, sha256: str, first: int, length: int) -> bytes:
        """Bytes of a blob. Raises ``state-corrupt`` if they are not there."""
        data = b""
        with contextlib.suppress(OSError), _opened(self.path(sha256)) as fd:
            while len(data) < length and (more := os.pread(fd, length - len(data), first + len(data))):
                data += more
        if len(data) != length:
            raise BookbagError(
                "state-corrupt",
                "cannot read learning content: a part of it is gone",
                place=sha256,
                remedy="it is fetched again by itself",
            )
        return data

    def piece(self, piece: Piece) -> bytes:
        """A piece, unpacked and checked. Raises ``state-corrupt``."""
        return unpack(piece.method, self.read(piece.pack, piece.offset, piece.stored), piece.raw, piece.crc)

    def is_whole(self, sha256: str) -> bool:
        """Whether it is here with exactly its bytes: reads all of it."""
        try:
            with _opened(self.path(sha256)) as fd:
                return _hash(fd) == sha256
        except OSError:
            return False

    def remove(self, sha256: str) -> None:
        """Drop one (absent: nothing to do). Not fsynced: one that comes back after a power cut is dropped
        again."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(sha256))

    def sweep(self) -> None:
        """Remove what writers left that died half-way, and anything that is no blob of ours."""
        for short in _names(self.folder):
            for name in _names(f"{self.folder}/{short}"):
                if name.endswith(durable.UNFINISHED):
                    with contextlib.suppress(OSError):
                        os.unlink(f"{self.folder}/{short}/{name}")


@contextlib.contextmanager
def _opened(path: str) -> Iterator[int]:
    fd = os.open(path, _READ)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        yield fd
    finally:
        os.close(fd)


def _copy(fd: int, out: int, size: int) -> str:
    """Copy up to ``size`` bytes; the hash of all that was read, one byte beyond included."""
    digest = hashlib.sha256()
    done = 0
    while done <= size and (data := os.read(fd, min(STEP, size + 1 - done))):
        digest.update(data)
        durable.write_all(out, data)
        done += len(data)
    return digest.hexdigest() if done == size else ""


def _hash(fd: int) -> str:
    digest = hashlib.sha256()
    while data := os.read(fd, STEP):
        digest.update(data)
    return digest.hexdigest()


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
