"""Sensors: the same questions to the sandbox and to the real machine under the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.base import Readings
from agent.host.choose import open_readings
from tests.contract.checks import SENSORS


@pytest.fixture(params=["sandbox", "linux"])
def readings(request: pytest.FixtureRequest, tmp_path: Path) -> Readings:
    return open_readings(Layout(str(tmp_path)) if request.param == "sandbox" else Layout())


@pytest.mark.parametrize("name", SENSORS)
def test_sensors(name: str, readings: Readings) -> None:
    SENSORS[name](readings)
