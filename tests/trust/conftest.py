"""A published school and a laptop that trusts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trust.school import Laptop, School


@pytest.fixture
def school(tmp_path: Path) -> School:
    made = School(tmp_path / "desk")
    made.policy(home="policy: home\n")
    made.publish()
    return made


@pytest.fixture
def laptop(tmp_path: Path, school: School) -> Laptop:
    return Laptop(tmp_path / "laptop", school)
