"""Facts and clock: the same questions to the sandbox and to the real machine under the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.base import Host
from agent.host.choose import open_host
from agent.host.linux.machine import open_machine
from tests.contract.checks import MACHINE


@pytest.fixture(params=["sandbox", "linux"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Host:
    return open_host(Layout(str(tmp_path))) if request.param == "sandbox" else open_machine()


@pytest.mark.parametrize("name", MACHINE)
def test_machine(name: str, host: Host) -> None:
    MACHINE[name](host)
