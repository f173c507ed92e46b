"""A test or a demonstration run as root must not be able to act on a developer's machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host import choose
from tests.contract.subject import refused

SYSTEMD = Path("/proc/1/comm").read_text().strip() == "systemd"


@pytest.mark.skipif(SYSTEMD and os.path.exists("/etc/bookbag/agent.yaml"), reason="this is a laptop of ours")
def test_this_machine_is_refused() -> None:
    error = refused("not-enrolled" if SYSTEMD else "not-allowed", choose.open_host, Layout("/"))
    assert error.remedy


@pytest.mark.skipif(SYSTEMD, reason="systemd runs here")
def test_not_even_enrolment_acts_without_systemd() -> None:
    refused("not-allowed", lambda: choose.open_host(Layout("/"), enrolling=True))
