"""The contract of kernel, time, apt and authorities over the simulated ones; real ones keep it in the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.sandbox.laptop import open_sandbox
from tests.contract.checks import SYSTEM
from tests.contract.system_checks import Furnished


@pytest.mark.parametrize("name", SYSTEM)
def test_simulated(name: str, tmp_path: Path) -> None:
    SYSTEM[name](Furnished(open_sandbox(str(tmp_path))))
