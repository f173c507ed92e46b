"""Reaching directories: what holds them open."""

from __future__ import annotations

import gc
import os
from pathlib import Path

from agent.host.sandbox.files import SandboxFiles
from tests import leaks


def test_what_is_let_go_of_gives_back_its_descriptors(tmp_path: Path) -> None:
    os.makedirs(tmp_path / "a/b/c")
    gc.collect()
    before = leaks.descriptors()
    kept = [SandboxFiles(str(tmp_path)) for _ in range(20)]
    for files in kept:
        assert files.read("/a/b/c/file") is None
    assert leaks.descriptors() >= before + 40, "directories are held open"
    kept.clear()
    del files
    gc.collect()
    assert leaks.descriptors() == before
