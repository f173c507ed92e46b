"""The contract of packages over the simulated ones; a real dpkg keeps it in the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.packages import MANUAL, YES, Package
from agent.host.sandbox.laptop import open_sandbox
from agent.host.sandbox.packages import SandboxPackages
from tests.contract.checks import PACKAGES
from tests.contract.packages_checks import NEEDY, NOWHERE, PLAIN, RIVAL, Stocked


@pytest.mark.parametrize("name", PACKAGES)
def test_simulated(name: str, tmp_path: Path) -> None:
    packages = open_sandbox(str(tmp_path)).packages
    assert isinstance(packages, SandboxPackages)
    packages.note_needs(NEEDY, PLAIN)
    packages.note_rivals(RIVAL, NEEDY)
    packages.note_away(NOWHERE)

    def person_installs(one: str) -> None:
        packages.note(one, Package(YES, held=False, mark=MANUAL))

    def person_holds(one: str) -> None:
        packages.note(one, Package(YES, held=True, mark=packages.find(one).mark))

    PACKAGES[name](Stocked(packages, lambda: None, person_installs, person_holds))
