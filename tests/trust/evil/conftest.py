"""Folders in memory where there are any: these tests write thousands of files, and what a disk keeps is
tested elsewhere.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = "/dev/shm"


def make_folder() -> Path:
    """A new private folder; the caller removes it."""
    return Path(tempfile.mkdtemp(prefix="bookbag-evil-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))


@pytest.fixture
def folder() -> Iterator[Path]:
    made = make_folder()
    yield made
    shutil.rmtree(made)
