"""What a disk may hold after the power went: a history of changes, of which some had been made durable.

Durable is only what was asked for: a file's bytes and size after fsync or fdatasync of the file, its mode,
owner and xattrs after fsync, and a name (created, renamed, removed) after either of each directory the change
touched. Of all other changes a `Model` says which are on the disk nevertheless, since a disk may write
anything early and in any order.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(eq=False, slots=True)
class Inode:
    """A file, directory or symlink, known by what happened to it."""

    kind: str  #: "file", "directory", "symlink"
    mode: int = 0o600
    content: bytes = b""  #: at the start; a symlink's target
    names: dict[str, Inode] = field(default_factory=dict)  #: at the start; of a directory


@dataclass(eq=False, slots=True)
class Change:
    """One thing that happened. ``touches`` must all be fsynced later for it to be durable."""

    what: str
    touches: tuple[Inode, ...]


@dataclass(eq=False, slots=True)
class Data(Change):
    """Bytes written to a file."""

    offset: int
    data: bytes


@dataclass(eq=False, slots=True)
class Size(Change):
    """A file cut off or extended with zeros."""

    length: int
    only_grow: bool = False


@dataclass(eq=False, slots=True)
class Attribute(Change):
    """Mode, owner or xattr of anything: needs fsync, not fdatasync."""

    mode: int | None = None


@dataclass(eq=False, slots=True)
class Names(Change):
    """Names given or taken in directories, all at once (a rename is one such change)."""

    links: tuple[tuple[Inode, str, Inode | None], ...]


@dataclass(eq=False, slots=True)
class Sync(Change):
    """fsync of what it touches; of everything, if it touches nothing. ``data_only``: fdatasync."""

    data_only: bool = False


@dataclass(eq=False, slots=True)
class Said(Change):
    """The program acknowledged something."""

    words: bytes


Model = Callable[[Sequence[Change]], Iterator[dict[int, str]]]
"""Given the changes that are not durable, yields possible fates: index → "whole", "half" (of a write) or
"zeros" (the length of a write, without its bytes). What is not in the mapping did not reach the disk."""


def strict(pending: Sequence[Change]) -> Iterator[dict[int, str]]:
    """Nothing but what was fsynced is there."""
    yield {}


def everything(pending: Sequence[Change]) -> Iterator[dict[int, str]]:
    """All of it is there: a crash of the program alone. Catches writing in place."""
    yield dict.fromkeys(range(len(pending)), "whole")


def names_first(pending: Sequence[Change]) -> Iterator[dict[int, str]]:
    """Names got there, bytes did not, or only as zeros: the empty file after a rename. Catches missing fsync
    of a file."""
    yield {i: "whole" for i, change in enumerate(pending) if isinstance(change, Names)}
    yield {i: "whole" if isinstance(change, Names) else "zeros" for i, change in enumerate(pending)}


def data_first(pending: Sequence[Change]) -> Iterator[dict[int, str]]:
    """Bytes got there, names did not. Catches missing fsync of a directory."""
    yield {i: "whole" for i, change in enumerate(pending) if not isinstance(change, Names)}


def torn(pending: Sequence[Change]) -> Iterator[dict[int, str]]:
    """All got there, but of the last write only half."""
    fate = dict.fromkeys(range(len(pending)), "whole")
    for i in reversed(range(len(pending))):
        if isinstance(pending[i], Data):
            yield {**fate, i: "half"}
            return


def any_order(pending: Sequence[Change]) -> Iterator[dict[int, str]]:
    """Any part of it got there: all subsets of up to six changes; of more, each one alone and each one
    missing."""
    indexes = range(len(pending))
    if len(pending) <= 6:
        for size in indexes:
            for chosen in itertools.combinations(indexes, size):
                yield dict.fromkeys(chosen, "whole")
    else:
        for one in indexes:
            yield {one: "whole"}
            yield {i: "whole" for i in indexes if i != one}


MODELS: tuple[Model, ...] = (strict, everything, names_first, data_first, torn, any_order)


def pending(history: Sequence[Change]) -> list[int]:
    """Indexes of the changes that nothing later in ``history`` made durable."""
    synced: set[Inode] = set()  # fsynced after the point we look at, walking backwards
    flushed: set[Inode] = set()  # at least fdatasynced
    everything_synced = False
    found: list[int] = []
    for i in reversed(range(len(history))):
        change = history[i]
        if isinstance(change, Sync):
            everything_synced |= not change.touches
            flushed.update(change.touches)
            if not change.data_only:
                synced.update(change.touches)
        elif not isinstance(change, Said) and not everything_synced:
            durable = flushed if isinstance(change, (Data, Size, Names)) else synced
            if not durable.issuperset(change.touches):
                found.append(i)
    return found[::-1]


Tree = dict[str, tuple[str, int, bytes]]
"""Relative path → (kind, mode, content)."""


def tree(root: Inode, history: Sequence[Change], fates: dict[int, str]) -> Tree:
    """What the disk holds when each change met its fate (index → fate)."""
    names: dict[Inode, dict[str, Inode]] = {}
    content: dict[Inode, bytearray] = {}
    modes: dict[Inode, int] = {}
    for i, fate in sorted(fates.items()):
        change = history[i]
        if isinstance(change, Names):
            for directory, name, inode in change.links:
                entries = names.setdefault(directory, dict(directory.names))
                if inode is None:
                    entries.pop(name, None)
                else:
                    entries[name] = inode
        elif isinstance(change, (Data, Size)):
            inode = change.touches[0]
            data = content.setdefault(inode, bytearray(inode.content))
            _write(data, change, fate)
        elif isinstance(change, Attribute) and change.mode is not None:
            modes[change.touches[0]] = change.mode

    found: Tree = {}

    def walk(directory: Inode, prefix: str) -> None:
        for name, inode in sorted(names.get(directory, directory.names).items()):
            mode = modes.get(inode, inode.mode)
            found[prefix + name] = (inode.kind, mode, bytes(content.get(inode, inode.content)))
            if inode.kind == "directory":
                walk(inode, f"{prefix}{name}/")

    walk(root, "")
    return found


def _write(data: bytearray, change: Data | Size, fate: str) -> None:
    if isinstance(change, Size):
        if change.length > len(data):
            data.extend(bytes(change.length - len(data)))
        elif not change.only_grow:
            del data[change.length :]
        return
    piece = change.data[: len(change.data) // 2] if fate == "half" else change.data
    end = change.offset + len(piece)
    if end > len(data):
        data.extend(bytes(end - len(data)))
    if fate != "zeros":
        data[change.offset : end] = piece


def load(directory: Path) -> Inode:
    """A directory as it is, as the durable start of a history."""
    root = Inode("directory", directory.stat().st_mode & 0o7777)
    for path in sorted(directory.iterdir()):
        mode = path.lstat().st_mode & 0o7777
        if path.is_symlink():
            root.names[path.name] = Inode("symlink", mode, os.fsencode(path.readlink()))
        elif path.is_dir():
            root.names[path.name] = load(path)
        else:
            root.names[path.name] = Inode("file", mode, path.read_bytes())
    return root


def lay_out(found: Tree, directory: Path) -> None:
    """Make ``directory`` (new) hold just that."""
    directory.mkdir()
    for name, (kind, mode, content) in found.items():
        path = directory / name
        if kind == "directory":
            path.mkdir()
        elif kind == "symlink":
            path.symlink_to(os.fsdecode(content))
            continue
        else:
            path.write_bytes(content)
        path.chmod(mode | 0o200)
