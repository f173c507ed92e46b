"""A USB stick as a courier: the published site goes onto it, laptops' returns come back from it.

The stick is a stranger: laptops verify what is on it, and what it brings back is taken like an upload: by
strict names, if it is expected and signed, within caps, never through a link.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.core import durable, returns
from agent.core.errors import BookbagError
from agent.fleet.expected import Expected
from agent.fleet.folder import Folder
from agent.fleet.refused import FOR_GOOD
from agent.fleet.returnbox import ReturnBox, most_bytes
from agent.web.docroot import open_below
from agent.web.http import HttpError

LAST = "metadata/timestamp.json"  # switches readers over, so it comes when all else is there
MOST_ENTRIES = 50_000  #: names looked at in the stick's returns/, and as many in its metadata/ and targets/
MOST_TAKEN = 5_000  #: returns taken in one visit
MOST_REFUSED = 1_000  #: returns refused before the rest is not even tried
MOST_REMOVED = 10_000  #: files removed in one visit
MOST_DEEP = 6  #: folders; what is published lies four deep
FORMAT = "format this stick: there is far more on it than we ever put there"


@dataclass(frozen=True, slots=True)
class Carried:
    """What one visit of a stick came to."""

    written: int
    kept: int
    removed: int
    collected: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]  #: name, why


def carry(folder: Folder, stick: Path, now: Callable[[], int], progress: Callable[[int], None]) -> Carried:
    """Bring ``stick`` up to date and collect its returns. ``progress`` hears of each file. Raises
    BookbagError. (Learning content: `agent.fleet.content.carrying`.)"""
    require(folder, stick)
    names = published_files(folder)
    collected, refused = collect(folder, stick, Expected(folder, now))
    written = 0
    for name in sorted(names, key=lambda one: one == LAST):
        written += _copy(_read_published(folder, name), stick / name)
        progress(1)
    strays, crowded = _strays(stick, names)
    for name in strays:
        (stick / name).unlink()
    if crowded:
        refused.append(("metadata/ or targets/", FORMAT))
    return Carried(written, len(names) - written, len(strays), tuple(collected), tuple(refused))


def require(folder: Folder, stick: Path) -> None:
    """Refuse what is no stick, and a folder that has nothing to give yet. Raises ``not-found``,
    ``bad-path``."""
    if not stick.is_dir():
        raise BookbagError(
            "not-found",
            "cannot use this stick: it is no folder",
            place=str(stick),
            remedy="mount it and name that folder",
        )
    if LAST not in published_files(folder):
        raise BookbagError(
            "not-found",
            "cannot fill a stick: nothing is published yet",
            remedy="bookbag-fleet publish --as … --as …",
        )
    for top in ("metadata", "targets", "blobs"):
        if (stick / top).is_symlink():
            raise BookbagError(
                "bad-path",
                "cannot fill this stick: a link is where a folder must be",
                place=str(stick / top),
                remedy="delete it",
            )


def published_files(folder: Folder) -> set[str]:
    """Every published file, relative to the docroot."""
    found = set()
    for top in ("metadata", "targets"):
        for where, directories, files in os.walk(folder.published / top):
            directories[:] = [one for one in directories if not one.startswith(".")]
            relative = Path(where).relative_to(folder.published)
            found |= {
                str(relative / one) for one in files if not one.startswith(".") and not one.endswith(".tmp")
            }
    return found


def _read_published(folder: Folder, name: str) -> bytes:
    """What the service would give for ``name``. A link committed among the published files could lead to a
    private key."""
    try:
        fd, _ = open_below(str(folder.published), tuple(name.split("/")))
    except HttpError:
        raise BookbagError(
            "bad-path",
            "cannot take it onto a stick: it is no plain file, or lies behind a link",
            place=folder.relative(folder.published / name),
            remedy="look in git who put it there, and delete it",
        ) from None
    with os.fdopen(fd, "rb") as file:
        return file.read()


def _copy(data: bytes, target: Path) -> bool:
    """Make ``target`` hold ``data``; False if it did already."""
    try:
        if not target.is_symlink() and target.stat().st_size == len(data) and target.read_bytes() == data:
            return False
    except OSError:
        pass  # absent, or unreadable: written anew
    durable.make_directories(str(target.parent), mode=0o755)
    durable.write(str(target), data, mode=0o644)
    return True


def _strays(stick: Path, names: set[str]) -> tuple[list[str], bool]:
    """What is not published in our two folders (nothing else on the stick is touched), and whether there is
    more than we care to look at. Folders are read entry by entry: a list would hold a million in memory.
    """
    found: list[str] = []
    left = MOST_ENTRIES + len(names)
    folders = [top for top in ("metadata", "targets") if (stick / top).is_dir()]
    while folders:
        folder = folders.pop()
        with os.scandir(stick / folder) as entries:
            for entry in entries:
                left -= 1
                name = f"{folder}/{entry.name}"
                if left < 0 or len(found) >= MOST_REMOVED:
                    return found, True
                if not entry.is_dir(follow_symlinks=False):
                    found += [] if name in names else [name]
                elif name.count("/") < MOST_DEEP:
                    folders.append(name)
    return found, False


def collect(folder: Folder, stick: Path, expected: Expected) -> tuple[list[str], list[tuple[str, str]]]:
    """Take the returns that laptops left. What was taken is removed from the stick, and so is what no laptop
    of ours can have left: it is told of once. Returns (taken, refused)."""
    box = ReturnBox(str(folder.returns))
    taken: list[str] = []
    refused: list[tuple[str, str]] = []
    names, crowded = _return_names(stick / "returns")
    for name in names:
        if len(taken) >= MOST_TAKEN:
            refused.append(("returns/", f"{MOST_TAKEN} were taken; deal with them, then collect the rest"))
            break
        if len(refused) >= MOST_REFUSED:
            crowded = True
            break
        try:
            expected.require(name)
            data = _read(stick, name)
            new = expected.is_new(name, data) and box.store(name, data)
        except BookbagError as error:
            refused.append((name, error.message))
            if error.code == "too-many":  # the desk's own folder is full: no other one will do better
                break
            if returns.mailbox_of(name) and error.code in FOR_GOOD:
                with contextlib.suppress(OSError):
                    (stick / "returns" / name).unlink()
            continue
        except (HttpError, OSError) as error:
            refused.append((name, f"cannot read it: {error}"))
            continue
        (stick / "returns" / name).unlink()
        taken += [name] if new else []
    if crowded:
        refused.append(("returns/", FORMAT))
    return taken, refused


def _return_names(where: Path) -> tuple[list[str], bool]:
    """Names that returns may have, and whether there is more than we care to look at."""
    names: list[str] = []
    if where.is_symlink() or not where.is_dir():
        return names, False
    with os.scandir(where) as entries:
        for number, entry in enumerate(entries):
            if number >= MOST_ENTRIES:
                return sorted(names), True
            if returns.NAME.match(entry.name):
                names.append(entry.name)
    return sorted(names), False


def _read(stick: Path, name: str) -> bytes:
    fd, status = open_below(str(stick), ("returns", name))
    with os.fdopen(fd, "rb") as file:
        most = most_bytes(name)
        if status.st_size > most:
            raise BookbagError("too-large", f"cannot take it: it has more than {most} bytes", place=name)
        return file.read(most + 1)
