"""What a teacher brings becomes plain files in a scratch folder: a folder, an archive, or one file with what
belongs to it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.content.bounds import MOST_FILE, MOST_FILES, MOST_ITEM
from agent.content.types import ending
from agent.core.errors import BookbagError
from agent.fleet.content import captions, epub
from agent.fleet.content.archives import bad, unzip
from agent.fleet.content.names import Names, is_litter

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Brought:
    """Plain files below ``root``. ``kind``: folder, zip, epub or file; ``left_out``: links that were not
    taken."""

    root: Path
    files: tuple[str, ...]
    kind: str
    left_out: tuple[str, ...] = ()


def take(
    path: Path, scratch: Path, *, without_links: bool = False, step: Step = lambda done: None
) -> Brought:
    """Read ``path`` without changing it; archives are taken apart below ``scratch``.

    Raises ``not-found``, ``bad-content`` with the place, ``too-many``, ``too-large``, ``disk-full``.
    """
    if path.is_dir():
        return _folder(path, without_links=without_links)
    if not path.exists():
        raise BookbagError("not-found", "cannot take it: it is not there", place=str(path))
    if not path.is_file():
        raise BookbagError(
            "bad-content", "cannot take it: it is neither a file nor a folder", place=str(path)
        )
    kind = ending(path.name)
    if kind in ("zip", "epub"):
        return _archive(path, scratch, kind, step)
    return _single(path, scratch)


def _folder(root: Path, *, without_links: bool) -> Brought:
    names = Names(str(root))
    files, links = [], []
    total = 0
    for path, status in _walk(root, ""):
        if stat.S_ISLNK(status.st_mode):
            if not without_links:
                raise BookbagError(
                    "bad-content",
                    "cannot take a link: what it leads to is not in this folder",
                    place=str(root / path),
                    remedy="put the file there instead, or leave links out with --without-links",
                )
            links.append(path)
            continue
        if not stat.S_ISREG(status.st_mode):
            raise BookbagError("bad-content", "cannot take it: it is no regular file", place=str(root / path))
        names.add(path)
        files.append(path)
        total += status.st_size
        _check_size(len(files), status.st_size, total, str(root))
    if not files:
        raise BookbagError("bad-content", "cannot take an empty folder", place=str(root))
    return Brought(root, tuple(sorted(files)), "folder", tuple(links))


def _walk(root: Path, below: str) -> Iterator[tuple[str, os.stat_result]]:
    """(path, status) of everything but folders, no link followed; what is litter is passed over."""
    with os.scandir(root / below) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            path = f"{below}/{entry.name}" if below else entry.name
            if is_litter(path):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(root, path)
            else:
                yield path, entry.stat(follow_symlinks=False)


def _check_size(count: int, size: int, total: int, place: str) -> None:
    if count > MOST_FILES:
        raise BookbagError(
            "too-many",
            f"cannot take more than {MOST_FILES} files as one item",
            place=place,
            remedy="split it",
        )
    if size > MOST_FILE or total > MOST_ITEM:
        raise BookbagError(
            "too-large",
            f"cannot take it: a file may have {MOST_FILE >> 30} GiB, an item {MOST_ITEM >> 30} GiB",
            place=place,
            remedy="split it",
        )


def _archive(path: Path, scratch: Path, kind: str, step: Step) -> Brought:
    root = scratch / "unpacked"
    root.mkdir()
    files = unzip(path, root, step)
    if not files:
        raise bad(path, "there is nothing in it")
    if kind == "epub" or epub.CONTAINER in files:
        return Brought(root, tuple(sorted(files)), "epub")
    if "h5p.json" in files:
        raise BookbagError(
            "not-supported",
            "cannot take H5P yet: the portal has no player for it",
            place=path.name,
            remedy="export it as HTML",
        )
    tops = {name.partition("/")[0] for name in files}
    top = next(iter(tops))
    if len(tops) == 1 and all("/" in name for name in files):
        return Brought(root / top, tuple(sorted(name[len(top) + 1 :] for name in files)), "zip")
    return Brought(root, tuple(sorted(files)), "zip")


def _single(path: Path, scratch: Path) -> Brought:
    """One file; for a video also the captions that lie beside it under its name."""
    root = scratch / "single"
    root.mkdir()
    beside = [path]
    if ending(path.name) in captions.VIDEOS:
        stem = path.name.rpartition(".")[0]
        beside += [
            one
            for one in sorted(path.parent.iterdir())
            if one.name.startswith(f"{stem}.") and ending(one.name) in captions.ENDINGS and one.is_file()
        ]
    names = Names(str(path.parent))
    total = 0
    for number, one in enumerate(beside, 1):
        names.add(one.name)
        size = one.stat().st_size
        total += size
        _check_size(number, size, total, str(one))
        _same(one, root / one.name)
    return Brought(root, tuple(one.name for one in beside), "file")


def _same(path: Path, target: Path) -> None:
    """The file under another name: without copying it, where the file system can."""
    try:
        os.link(path.resolve(), target)
    except OSError:
        shutil.copyfile(path, target)
