"""The real machine as a Host. `agent.host.choose` decides whether it may be opened."""

from __future__ import annotations

import os

from agent.host.base import Host
from agent.host.linux.clock import LinuxClock
from agent.host.linux.dconf import LinuxDconf
from agent.host.linux.facts import LinuxFacts
from agent.host.linux.files import LinuxFiles

DCONF = "/usr/bin/dconf"


def open_machine() -> Host:
    """Every capability that this machine has."""
    files = LinuxFiles()
    dconf = LinuxDconf(files, DCONF) if os.access(DCONF, os.X_OK) else None
    return Host("linux", files, LinuxFacts(), LinuxClock(), dconf)
