"""The contract of hardware over the laptop in a folder; tests/contract/test_lab.py has it over a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.sandbox.laptop import open_sandbox
from tests.contract.checks import HARDWARE
from tests.contract.hardware_checks import Wired


@pytest.mark.parametrize("name", HARDWARE)
def test_simulated(name: str, tmp_path: Path) -> None:
    host = open_sandbox(str(tmp_path))
    assert host.hardware is not None and host.services is not None
    HARDWARE[name](Wired(host.hardware, host.services, host.files))
