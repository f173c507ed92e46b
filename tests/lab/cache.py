"""What is slow to make is made once: folders named by a hash of their recipe, whole or absent."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import mounts, programs
from tests.lab.cgroups import PREFIX, Group

DAY = 24 * 3600.0


def folder() -> Path:
    """Where made things are kept between runs: ``$BOOKBAG_LAB_CACHE`` or ``~/.cache/bookbag-lab``."""
    chosen = os.environ.get("BOOKBAG_LAB_CACHE")
    path = Path(chosen) if chosen else Path.home() / ".cache" / "bookbag-lab"
    path.mkdir(parents=True, exist_ok=True, mode=0o755)
    return path.resolve()


def key(*parts: str | bytes) -> str:
    """A short name for a recipe: 16 hex digits that change when any part changes."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock file ``path`` in the block; with ``wait`` off, yields False when another holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where one thing is being made, and how its programs are kept together and listened to."""

    part: Path  #: the folder that becomes the thing
    log: Path  #: what the programs say
    group: Group  #: where they all run, so that the next build can end those of a killed one

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Run a program of this machine. Raises `LabError` with the end of the log."""
        self.group.remove()
        self.group.make()
        programs.run_logged(self.group.entered(argv), self.log, env=env)


def made(name: str, recipe: str, build: Callable[[Workshop], None]) -> Path:
    """The folder ``name-recipe``, made by ``build`` if it is not there yet.

    It is made under a lock in a part folder that gets its name at the end: a build that fails or is killed
    leaves no half thing, and the next one removes its remains. Folders of other recipes that nobody used for
    a day go.
    """
    final = folder() / f"{name}-{recipe}"
    with locked(folder() / f"{name}.lock"):
        if not final.is_dir():
            shop = Workshop(folder() / f"{final.name}.part", folder() / f"{name}.log", of_build(name))
            _clear(name)
            shop.log.unlink(missing_ok=True)
            shop.part.mkdir(mode=0o755)
            try:
                build(shop)
                mounts.unmount(shop.part)
            except BaseException:
                _clear(name)
                raise
            shop.group.remove()
            shop.part.rename(final)
        os.utime(final)
        _forget_old(name, keep=final)
    return final


def of_build(name: str) -> Group:
    """The group in which things of this name are made; one at a time, as there is one lock."""
    return Group(f"{PREFIX}build-{key(str(folder()), name)}")


def _clear(name: str) -> None:
    """End the programs of a build that failed or was killed, and remove what it had made."""
    of_build(name).remove()
    for remains in folder().glob(f"{name}-*.part"):
        mounts.remove(remains)


def _forget_old(name: str, keep: Path) -> None:
    """Remove folders of this name that were last used more than a day ago."""
    for path in folder().glob(f"{name}-*"):
        with contextlib.suppress(FileNotFoundError):
            if path != keep and path.suffix != ".part" and time.time() - path.stat().st_mtime > DAY:
                mounts.remove(path)
