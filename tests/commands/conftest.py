"""A school, and a laptop of its."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.laptop import CommandLaptop
from tests.trust.school import School


@pytest.fixture
def laptop(tmp_path: Path) -> CommandLaptop:
    school = School(tmp_path / "desk")
    school.policy(home="policy: home\n")
    school.publish()
    return CommandLaptop(tmp_path / "laptop", school)
