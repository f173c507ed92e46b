"""The world-readable status.json: whole or as it was, and not written for nothing."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.daemon.status import Snapshot


def status(**fields: object) -> dict[str, object]:
    return {"v": 1, "sync": {"source": "", "good_ago_s": None}, "word": None, **fields}


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may be larger: like a full disk, it takes what fits before it refuses."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_only_a_part_leaves_the_last_whole_status(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    snapshot = Snapshot(str(path))
    snapshot.write(status(site="north"))
    with room_for(100), pytest.raises(OSError, match="File too large"):
        snapshot.write(status(site="north", refusals=["x" * 500]))
    assert json.loads(path.read_bytes())["site"] == "north"
    snapshot.write(status(site="north", refusals=["x" * 500]))  # and it is tried again
    assert len(json.loads(path.read_bytes())["refusals"][0]) == 500


def test_ages_alone_are_not_worth_a_write(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    snapshot = Snapshot(str(path))
    snapshot.write(status(enforced_ago_s=1))
    first = path.stat().st_ino
    snapshot.write(status(enforced_ago_s=2))
    assert path.stat().st_ino == first
    snapshot.write(status(enforced_ago_s=2, site="north"))
    assert path.stat().st_ino != first
