"""The contract of firewalls over the simulation, and over the kernel's own, in a network of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.choose import open_host
from tests.contract.checks import FIREWALL
from tests.contract.firewall_checks import Walled
from tests.leaks import REPOSITORY


@pytest.mark.parametrize("name", FIREWALL)
def test_simulated(name: str, tmp_path: Path) -> None:
    host = open_host(Layout(str(tmp_path)))
    assert host.firewall is not None
    other = tmp_path / "other"
    FIREWALL[name](Walled(host.firewall, other.touch, other.exists))


@pytest.mark.needs("nft", "unshare")
@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own needs root")
@pytest.mark.parametrize("name", FIREWALL)
def test_real(name: str) -> None:
    """In a network of its own; the machine's rules stay as they are."""
    ended = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.contract.run", "--firewall", name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.stdout == f"{name}: ok\n", ended.stdout + ended.stderr
