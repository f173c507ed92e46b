"""The services of the laptop in a folder: those that a laptop has, and what unit files in it describe.

What runs is noted in DIR/.sandbox/units.json, with that of the lock; whether something starts with the
machine is what links in the folder say, as on a real one. Nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.core.errors import BookbagError
from agent.host.base import Files
from agent.host.sandbox.notes import Notes
from agent.host.sandbox.units import BOOTED
from agent.host.services import DISABLED, ENABLED, FOLDER, MASKED, STATIC, UNKNOWN, Service
from agent.host.unit_names import check_unit, links

FOLDERS = (FOLDER, "/usr/lib/systemd/system")
#: What a new laptop has without files in the folder: unit → what wants it; "": something else starts it.
INSTALLED = {
    "NetworkManager.service": "multi-user.target",
    "apt-daily-upgrade.service": "",
    "apt-daily-upgrade.timer": "timers.target",
    "apt-daily.service": "",
    "apt-daily.timer": "timers.target",
    "bluetooth.service": "bluetooth.target",
    "cron.service": "multi-user.target",
    "cups.service": "multi-user.target",
    "fwupd-refresh.timer": "timers.target",
    "fwupd.service": "",
    "nftables.service": "sysinit.target",
    "ssh.service": "multi-user.target",
    "systemd-logind.service": "",
    "systemd-udevd.service": "",
    "systemd-timesyncd.service": "sysinit.target",
    "unattended-upgrades.service": "multi-user.target",
}
#: When its timers elapse, as Debian ships them.
TIMERS = {"apt-daily.timer": "*-*-* 06,18:00:00", "apt-daily-upgrade.timer": "*-*-* 06:00:00"}
_ASKS = ("WantedBy=", "RequiredBy=", "Alias=")
_MASK = b"/dev/null"


class SandboxServices:
    """``notes`` has what runs, and how often each unit was told to take something in."""

    def __init__(self, files: Files, notes: Notes) -> None:
        self._files = files
        self._notes = notes

    def state(self, unit: str) -> Service:
        check_unit(unit)
        return Service(self._enabled(unit), self._active(unit))

    def calendar(self, unit: str) -> tuple[str, ...]:
        check_unit(unit)
        found = [TIMERS[unit]] if unit in TIMERS else []
        folder = f"{FOLDER}/{unit}.d"
        drop_ins = (f"{folder}/{name}" for name in self._files.names(folder) or ())
        for path in (f"{FOLDER}/{unit}", *drop_ins):
            for line in self._text(path).splitlines():
                key, equals, value = line.strip().partition("=")
                if equals and key == "OnCalendar":
                    found = [*found, value] if value else []
        return tuple(sorted(found))

    def install(self, unit: str) -> Mapping[str, str]:
        check_unit(unit)
        if self._enabled(unit) == MASKED:
            return {}
        for folder in FOLDERS:
            if text := self._text(f"{folder}/{unit}"):
                return links(unit, f"{folder}/{unit}", text)
        wanted = INSTALLED.get(unit)
        return {f"{FOLDER}/{wanted}.wants/{unit}": f"{FOLDERS[1]}/{unit}"} if wanted else {}

    def reread(self) -> None:
        pass  # nothing is remembered between two questions

    def take_in(self, unit: str) -> None:
        check_unit(unit)
        if self._active(unit):
            self._notes.put("taken-in", {**self.taken_in(), unit: self.taken_in().get(unit, 0) + 1})

    def set_active(self, unit: str, active: bool) -> None:
        if self.state(unit).active is active:
            return
        if active and self._enabled(unit) in (MASKED, UNKNOWN):
            raise BookbagError("not-effective", f"cannot start {unit}: it is masked, or not installed")
        running = set(self._running())
        self._notes.put("active", sorted(running | {unit} if active else running - {unit}))

    def taken_in(self) -> dict[str, int]:
        """Unit → how often it read its configuration again."""
        noted = self._notes.read().get("taken-in", {})
        return {str(name): int(count) for name, count in noted.items()} if isinstance(noted, dict) else {}

    def _running(self) -> tuple[str, ...]:
        return self._notes.texts("active") if "active" in self._notes.read() else BOOTED

    def _active(self, unit: str) -> bool:
        return unit in self._running()

    def _enabled(self, unit: str) -> str:
        own = self._files.read(f"{FOLDER}/{unit}")
        if own is not None and own.kind == "symlink" and own.content == _MASK:
            return MASKED
        asked = self._asked(unit)
        if asked is None:
            return UNKNOWN
        if not asked:
            return STATIC
        return ENABLED if any(self._links(unit)) else DISABLED

    def _asked(self, unit: str) -> str | None:
        """What of its file says how it would be enabled; None if there is no such unit."""
        for folder in FOLDERS:
            if text := self._text(f"{folder}/{unit}"):
                lines = (line.strip() for line in text.splitlines())
                return "\n".join(line for line in lines if line.startswith(_ASKS))
        return INSTALLED.get(unit)

    def _text(self, path: str) -> str:
        node = self._files.read(path)
        return node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""

    def _links(self, unit: str) -> Iterator[str]:
        for name in self._files.names(FOLDER) or ():
            if name.endswith((".wants", ".requires")):
                node = self._files.read(f"{FOLDER}/{name}/{unit}")
                if node is not None and node.kind == "symlink":
                    yield f"{FOLDER}/{name}/{unit}"
