"""Time of a real machine, as systemd's own services tell it."""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.errors import BookbagError
from agent.host.linux.services import LinuxServices
from agent.host.processes import run
from agent.host.timekeeping import ZONES, check_zone

TIMESYNCD = "systemd-timesyncd.service"
SECONDS = 20.0


class LinuxTimekeeping:
    """``timedatectl``, which asks over the bus and never reads configuration."""

    def __init__(self, services: LinuxServices) -> None:
        self._services = services

    def servers(self) -> tuple[str, ...]:
        if not self._services.state(TIMESYNCD).active:  # asking over the bus would start it
            raise BookbagError("not-supported", f"cannot ask {TIMESYNCD}: it does not run")
        return tuple(_asked("show-timesync", "SystemNTPServers").split())

    def has_zone(self, zone: str) -> bool:
        check_zone(zone)
        try:
            with open(f"{ZONES}/{zone}", "rb") as file:
                return file.read(4) == b"TZif"
        except OSError:
            return False

    def tells(self, zone: str) -> bool:
        check_zone(zone)
        # timedated remembers for half a minute what it read; a program that starts now does not.
        return _hours({}) == _hours({"TZ": f":{zone}"})


def _hours(environment: Mapping[str, str]) -> str:
    """What programs tell for a day in each month of one year."""
    days = "".join(f"2026-{month:02}-15T12:00Z\n" for month in range(1, 13)).encode()
    asks = ("date", "--file=-", "+%F %R %z %Z")
    ended = run(asks, timeout=SECONDS, input=days, environment=environment)
    if ended.status != 0:
        raise BookbagError("not-supported", f"cannot ask date for the time: {ended.complaint}")
    return ended.text


def _asked(verb: str, name: str) -> str:
    ended = run(("timedatectl", "--no-pager", verb, f"--property={name}", "--value"), timeout=SECONDS)
    if ended.status != 0:
        raise BookbagError("not-supported", f"cannot ask timedatectl: {ended.complaint}")
    return ended.text
