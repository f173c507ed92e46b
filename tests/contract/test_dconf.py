"""The dconf contract over the simulation, and over the real program, whose /etc/dconf is then a folder of
ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.choose import open_host
from tests.contract.checks import DCONF
from tests.contract.dconf_checks import Desktop
from tests.leaks import REPOSITORY


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Desktop]:
    host = open_host(Layout(str(tmp_path)))
    assert host.dconf is not None
    own = tmp_path / "home/student/.config/dconf/user.txt"
    own.parent.mkdir(parents=True)

    def write_own(text: str) -> None:
        own.write_text(text, "utf-8")

    yield Desktop(host.dconf, host.files, "student", write_own)


@pytest.mark.parametrize("name", DCONF)
def test_simulated(name: str, simulated: Desktop) -> None:
    DCONF[name](simulated)


@pytest.mark.needs("dconf", "unshare")
@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace of its own needs root")
@pytest.mark.parametrize("name", DCONF)
def test_real(name: str) -> None:
    """In a mount namespace where /etc/dconf is empty; the machine's own stays as it is."""
    with tempfile.TemporaryDirectory() as empty:
        os.chmod(empty, 0o755)  # noqa: S103  # what only root can read would force nothing
        inner = (
            f"mount --bind {empty} /etc/dconf && exec {sys.executable} -m tests.contract.run --dconf {name}"
        )
        os.makedirs("/etc/dconf", exist_ok=True)
        ended = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", inner],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.stdout == f"{name}: ok\n", ended.stdout + ended.stderr
