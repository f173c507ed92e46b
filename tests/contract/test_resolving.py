"""The contract of names over the simulation; a real NetworkManager keeps it in the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.sandbox.laptop import open_sandbox
from tests.contract.checks import RESOLVING
from tests.contract.resolving_checks import Asking


@pytest.mark.parametrize("name", RESOLVING)
def test_simulated(name: str, tmp_path: Path) -> None:
    host = open_sandbox(str(tmp_path))
    assert host.resolving is not None and host.services is not None
    RESOLVING[name](Asking(host.resolving, host.services, host.files))
