"""The services of a real machine, asked through systemctl."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.host.linux.units import LinuxUnits
from agent.host.services import DISABLED, ENABLED, MASKED, STATIC, UNKNOWN, Service
from agent.host.unit_names import check_unit, links

_PROPERTIES = ("Id", "LoadState", "UnitFileState", "ActiveState", "NeedDaemonReload")
_WORDS = {
    "enabled": ENABLED,
    "enabled-runtime": ENABLED,
    "disabled": DISABLED,
    "masked": MASKED,
    "masked-runtime": MASKED,
}
#: Read their configuration again on a signal, which their unit files do not say. Started again, logind would
#: have the desktop ask anew for its screen and keyboard.
BY_SIGNAL = frozenset(("systemd-logind.service",))
_CALENDAR = re.compile(r"OnCalendar=([^;}]*?) +;")
#: Where packages and administrators put unit files. What is generated or made for a moment starts otherwise.
_FOLDERS = ("/etc/systemd/system/", "/lib/systemd/system/", "/usr/lib/systemd/system/")
_RUNS = frozenset(("active", "activating", "reloading", "refreshing"))


class LinuxServices:
    """systemd, as root."""

    def __init__(self, units: LinuxUnits) -> None:
        self._units = units

    def state(self, unit: str) -> Service:
        check_unit(unit)
        found = self._units.properties(unit, _PROPERTIES)
        active = found.get("ActiveState") in _RUNS
        if found.get("LoadState") not in ("loaded", "masked"):
            return Service(UNKNOWN, active)
        if found.get("LoadState") == "masked":
            return Service(MASKED, active)
        return Service(_WORDS.get(found.get("UnitFileState", ""), STATIC), active)

    def calendar(self, unit: str) -> tuple[str, ...]:
        check_unit(unit)
        found = self._units.text(unit, "TimersCalendar")
        return tuple(sorted(_CALENDAR.findall(found)))

    def install(self, unit: str) -> Mapping[str, str]:
        check_unit(unit)
        found = self._units.properties(unit, ("Id", "FragmentPath"))
        path = found.get("FragmentPath", "")
        if not path or not path.startswith(_FOLDERS):
            return {}
        return links(unit, path, self._units.source(unit))

    def reread(self) -> None:
        self._units.reload()

    def take_in(self, unit: str) -> None:
        check_unit(unit)
        found = self._units.properties(unit, _PROPERTIES)
        if found.get("NeedDaemonReload") == "yes":
            self._units.reload()
            found = self._units.properties(unit, _PROPERTIES)
        if found.get("ActiveState") in _RUNS:
            # Several policies of one program come one after the other, and systemd would call that too often.
            self._units.forgive(unit)
            if unit in BY_SIGNAL:
                self._units.signal(unit, "HUP")
            else:
                self._units.renew(unit)

    def set_active(self, unit: str, active: bool) -> None:
        if self.state(unit).active is active:
            return
        self._units.forgive(unit)
        self._units.set_active(unit, active)
