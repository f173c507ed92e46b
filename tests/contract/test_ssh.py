"""The contract of the ssh server over the laptop in a folder; a real OpenSSH keeps it in the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.sandbox.laptop import open_sandbox
from tests.contract.checks import SSH
from tests.contract.ssh_checks import Reachable


@pytest.mark.parametrize("name", SSH)
def test_simulated(name: str, tmp_path: Path) -> None:
    host = open_sandbox(str(tmp_path))
    assert host.remote_login is not None and host.services is not None
    SSH[name](Reachable(host.remote_login, host.services, host.files))
