"""A running portal for each test that asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fixtures import debian, lab, laptop_factory, network, school_laptop, with_agent
from tests.portal.serving import Served, serving

__all__ = ["debian", "lab", "laptop_factory", "network", "school_laptop", "with_agent"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as made:
        yield made
