"""Clearing a document root of what no reader can still be on the way to: everything but the last few
snapshots' files.

A slow reader holds an older timestamp while newer versions appear: it finds what that one names for `KEPT`
publications. Roots are never removed: who was away for years climbs them one by one.
"""

from __future__ import annotations

import os
import re

from agent.trust.paths import target_place
from agent.trust.site.files import RepositoryFiles

KEPT = 3  #: snapshots
_VERSIONED = re.compile(r"([1-9][0-9]{0,18})\.([a-z0-9-]+)\.json")
_HASHED = re.compile(r"[0-9a-f]{64}\..+")


def prune(folder: RepositoryFiles) -> int:
    """Remove metadata and targets that the last `KEPT` snapshots do not name; returns how many files went.

    Files whose names are not of the repository's forms are left alone.
    """
    keep = _named(folder)
    gone = 0
    for top in ("metadata", "targets"):
        base = folder.plain("published", top)
        for place, _, names in os.walk(base):
            for name in names:
                path = os.path.relpath(os.path.join(place, name), folder.docroot)
                if path not in keep and _is_ours(top, name):
                    os.unlink(os.path.join(place, name))
                    gone += 1
    return gone


def _is_ours(top: str, name: str) -> bool:
    if top == "targets":
        return _HASHED.fullmatch(name) is not None
    found = _VERSIONED.fullmatch(name)
    return found is not None and found[2] != "root"


def _named(folder: RepositoryFiles) -> set[str]:
    """Every file that the newest `KEPT` snapshots name."""
    newest = folder.snapshot()
    keep: set[str] = set()
    if newest is None:
        return keep
    for version in range(max(1, newest.signed.version - KEPT + 1), newest.signed.version + 1):
        snapshot = folder.snapshot(version)
        if snapshot is None:
            continue
        keep.add(f"metadata/{version}.snapshot.json")
        for name, meta in snapshot.signed.meta.items():
            file = f"metadata/{meta.version}.{name}"
            if file not in keep:
                keep.add(file)
                keep |= _targets_of(folder, f"{meta.version}.{name}")
    return keep


def _targets_of(folder: RepositoryFiles, name: str) -> set[str]:
    found = folder.metadata(name)
    listed = found.signed.targets if found is not None else {}
    return {target_place(path, info.hashes["sha256"]) for path, info in listed.items()}
