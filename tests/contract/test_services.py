"""The contract of services over the simulated service manager; systemd keeps it in the lab (test_lab.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.sandbox.laptop import open_parts, open_sandbox
from tests.contract.checks import SERVICES
from tests.contract.services_checks import UNIT, Managed


@pytest.fixture
def simulated(tmp_path: Path) -> Managed:
    open_sandbox(str(tmp_path))
    parts = open_parts(str(tmp_path))
    return Managed(parts.services, parts.files, lambda: parts.services.taken_in().get(UNIT, 0))


@pytest.mark.parametrize("name", SERVICES)
def test_simulated(name: str, simulated: Managed) -> None:
    SERVICES[name](simulated)


def test_a_laptop_in_a_folder_has_the_units_that_a_laptop_has(simulated: Managed) -> None:
    found = simulated.services.state("NetworkManager.service")
    assert (found.known, found.active) == (True, True)
