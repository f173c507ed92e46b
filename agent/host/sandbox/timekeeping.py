"""Time of the laptop in a folder: systemd's rules over the files that are in it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.errors import BookbagError
from agent.host.base import Files
from agent.host.sandbox.services import SandboxServices
from agent.host.timekeeping import ZONES, check_zone

TIMESYNCD = "systemd-timesyncd.service"


class SandboxTimekeeping:
    """What systemd-timesyncd would ask, and the zone that /etc/localtime leads to."""

    def __init__(self, files: Files, services: SandboxServices) -> None:
        self._files = files
        self._services = services

    def servers(self) -> tuple[str, ...]:
        if not self._services.state(TIMESYNCD).active:
            raise BookbagError("not-supported", f"cannot ask {TIMESYNCD}: it does not run")
        found: tuple[str, ...] = ()
        for key, value in self._lines():
            if key == "NTP":  # several lines add up; an empty one begins anew
                found = (*found, *value.split()) if value else ()
        return found

    def has_zone(self, zone: str) -> bool:
        check_zone(zone)
        return "/Nowhere" not in zone

    def tells(self, zone: str) -> bool:
        check_zone(zone)
        node = self._files.read("/etc/localtime")
        if node is None:
            return zone == "Etc/UTC"
        return node.kind == "symlink" and node.content.decode(errors="replace") == f"{ZONES}/{zone}"

    def _lines(self) -> Iterator[tuple[str, str]]:
        """The main file, then all drop-ins in the order of their names, wherever they lie."""
        places = {
            name: f"{folder}/systemd/timesyncd.conf.d/{name}"
            for folder in ("/usr/lib", "/run", "/etc")
            for name in self._files.names(f"{folder}/systemd/timesyncd.conf.d") or ()
            if name.endswith(".conf")
        }
        for path in ("/etc/systemd/timesyncd.conf", *(places[name] for name in sorted(places))):
            node = self._files.read(path)
            text = node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""
            for line in text.splitlines():
                key, equals, value = line.strip().partition("=")
                if equals and not key.startswith(("#", ";")):
                    yield key.strip(), value.strip()
