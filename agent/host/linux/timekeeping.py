"""Time of a real machine, as systemd's own services tell it."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.host.processes import run

SECONDS = 20.0


class LinuxTimekeeping:
    """``timedatectl``, which asks over the bus and never reads configuration."""

    def servers(self) -> tuple[str, ...]:
        return tuple(_asked("show-timesync", "SystemNTPServers").split())

    def zone(self) -> str:
        return _asked("show", "Timezone").strip()


def _asked(verb: str, name: str) -> str:
    ended = run(("timedatectl", "--no-pager", verb, f"--property={name}", "--value"), timeout=SECONDS)
    if ended.status != 0:
        raise BookbagError("not-supported", f"cannot ask timedatectl: {ended.complaint}")
    return ended.text
