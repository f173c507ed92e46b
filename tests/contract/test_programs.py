"""The contract of programs over the simulated ones; a real dpkg keeps it in the lab."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.host.base import Node
from agent.host.sandbox.laptop import open_sandbox
from agent.host.sandbox.programs import SandboxPrograms
from tests.contract.checks import PROGRAMS
from tests.contract.programs_checks import Installed


@pytest.mark.parametrize("merged", [True, False])
@pytest.mark.parametrize("name", PROGRAMS)
def test_simulated(name: str, merged: bool, tmp_path: Path) -> None:
    host = open_sandbox(str(tmp_path))
    assert isinstance(host.programs, SandboxPrograms)
    host.programs.note_package("/usr/bin/chage", "passwd")
    if merged:
        host.files.write("/bin", Node("symlink", 0o777, content=b"usr/bin"))

    def opens(folder: str) -> None:
        os.chmod(f"{tmp_path}{folder}", 0o777)  # noqa: S103

    PROGRAMS[name](Installed(host.programs, host.files, opens, lambda _: None))
