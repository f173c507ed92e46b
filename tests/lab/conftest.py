"""The lab's fixtures, the mark of tests that use them, and what laptops had to say when one fails."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.lab.errors import LabError, last_lines
from tests.lab.fixtures import (
    LAPTOPS,
    debian,
    lab,
    laptop,
    laptop_factory,
    network,
    school_laptop,
    with_agent,
)

__all__ = ["debian", "lab", "laptop", "laptop_factory", "network", "school_laptop", "with_agent"]

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.lab)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        for laptop in item.stash.get(LAPTOPS, []):
            try:
                said = laptop.journal(lines=60)
            except LabError as error:
                said = str(error)
            report.sections.append((f"journal of {laptop.name}", said))
            report.sections.append((f"console of {laptop.name}", last_lines(laptop.console)))
    return report
