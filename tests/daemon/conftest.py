"""Laptops in folders, with a running supervisor or without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daemon.laptop import SandboxLaptop, sandbox


@pytest.fixture
def laptop() -> Iterator[SandboxLaptop]:
    """Not running yet."""
    with sandbox() as made:
        yield made


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxLaptop]:
    """One that runs for all tests of a module."""
    with sandbox() as made:
        made.start()
        yield made
        assert made.stop() == 0, made.log.read_text()
