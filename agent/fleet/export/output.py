"""The folder that an export goes to: only files of ours are written over or taken away there, and nothing
outside it.

``export.json`` in it knows which those are, by hash: a file that somebody changed since is theirs. It names
the old and the new content before anything is written, so that after a power cut every file is known.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.store import atomic

LIST: Final = "export.json"
_MOST: Final = 32 << 20  #: bytes of one file
_PLACE: Final = "export"  #: the one folder in IT's own that may be written to
_V: Final = 1


@dataclass(frozen=True, slots=True)
class Written:
    """Names of files, sorted."""

    written: tuple[str, ...]
    kept: tuple[str, ...]  #: they were so already
    removed: tuple[str, ...]  #: of groups that there are no more


def require(folder: Folder, target: Path) -> None:
    """Refuse a place where other things of IT's folder lie. Raises ``bad-path``."""
    root, real = folder.root.resolve(), target.resolve()
    if real == root or (root in real.parents and real.relative_to(root).parts[0] != _PLACE):
        raise BookbagError(
            "bad-path",
            "cannot export into IT's own folder",
            place=str(target),
            remedy=f"name a folder elsewhere, or {_PLACE}/ in it",
        )


def write(target: Path, files: Mapping[str, bytes], suffixes: tuple[str, ...]) -> Written:
    """Write ``files`` (name → bytes) into ``target``, which is made if need be. Files of an earlier export
    that end in one of ``suffixes`` and are not among them go. All or none: raises ``conflict`` if anything
    that is not ours is in the way."""
    atomic.make_dir(str(target), mode=stat.S_IMODE(target.stat().st_mode) if target.is_dir() else 0o755)
    ours = _read(target)
    there = {name: _hash(target, name) for name in {*files, *ours}}
    foreign = sorted(one for one in files if there[one] is not None and there[one] not in ours.get(one, ()))
    if foreign:
        raise BookbagError(
            "conflict",
            f"cannot write {', '.join(foreign[:5])}: not written by an export, or changed since",
            place=str(target),
            remedy="move it away, or export into another folder",
        )
    new = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    gone = sorted(
        name
        for name, known in ours.items()
        if name not in new and name.endswith(suffixes) and there[name] in known
    )
    rest = {name: known for name, known in ours.items() if name not in new and name not in gone}
    rest = {name: known for name, known in rest.items() if there[name] in known}
    both = {name: sorted({one, *filter(None, (there[name],))}) for name, one in new.items()}
    _save(target, {**ours, **both})
    changed = sorted(name for name, one in new.items() if there[name] != one)
    for name in changed:
        atomic.write(str(target / name), files[name], mode=0o644)
    for name in gone:
        atomic.remove(str(target / name))
    _save(target, {**rest, **{name: [one] for name, one in new.items()}})
    return Written(tuple(changed), tuple(sorted(set(new) - set(changed))), tuple(gone))


def _hash(target: Path, name: str) -> str | None:
    """Of what is there; None: nothing; "": no file that could be ours."""
    try:
        data = atomic.read(str(target / name), max_bytes=_MOST)
    except BookbagError:
        return ""
    return None if data is None else hashlib.sha256(data).hexdigest()


def _read(target: Path) -> dict[str, list[str]]:
    path = target / LIST
    data = atomic.read(str(path), max_bytes=_MOST)
    if data is None:
        return {}
    value = jsontext.parse(data, what=str(path), max_bytes=_MOST, max_nodes=500_000)
    files = value.get("files") if isinstance(value, dict) else None
    version = value.get("v") if isinstance(value, dict) else None
    if isinstance(version, int) and version > _V:
        raise BookbagError(
            "format-too-new",
            "cannot add to this export",
            place=str(path),
            remedy="update Bookbag",
        )
    sound = type(version) is int and version == _V
    if not sound or not isinstance(files, dict) or not all(map(_known, files, files.values())):
        raise BookbagError(
            "conflict",
            f"cannot use this folder: {LIST} in it is none of ours",
            place=str(path),
            remedy="export into another folder",
        )
    return files


def _known(name: str, hashes: object) -> bool:
    plain = name == os.path.basename(name) and not name.startswith(".") and name != LIST
    return plain and isinstance(hashes, list) and all(isinstance(one, str) for one in hashes)


def _save(target: Path, files: Mapping[str, list[str]]) -> None:
    text = json.dumps({"files": dict(sorted(files.items())), "v": _V}, indent=1, ensure_ascii=False)
    data = f"{text}\n".encode()
    if atomic.read(str(target / LIST), max_bytes=_MOST) != data:
        atomic.write(str(target / LIST), data, mode=0o644)
