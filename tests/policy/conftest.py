"""The machine most tests of this room run on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.policy.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A sandbox laptop with one student."""
    with Machine(tmp_path) as made:
        yield made
