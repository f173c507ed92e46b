"""Hardware of the laptop in a folder: the rules of kmod and logind over the files that are in it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.host.base import Files

_ON_LID, _ON_POWER_BUTTON = "suspend", "poweroff"  #: without a word about it


class SandboxHardware:
    """What modprobe and logind would do by ``files``."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def refuses(self, module: str) -> bool:
        return any(line.split() == ["install", module, "/bin/false"] for line in self._lines("modprobe.d"))

    def on_lid(self) -> str:
        return self._logind("HandleLidSwitch", _ON_LID)

    def on_power_button(self) -> str:
        return self._logind("HandlePowerKey", _ON_POWER_BUTTON)

    def _logind(self, name: str, otherwise: str) -> str:
        found = otherwise
        for line in self._lines("systemd/logind.conf.d"):
            key, equals, value = line.partition("=")
            if equals and key.strip() == name:
                found = value.strip() or otherwise
        return found

    def _lines(self, folder: str) -> Iterator[str]:
        """Of all files of that folder, wherever it lies, in the order of their names."""
        places = {
            name: f"{top}/{folder}/{name}"
            for top in ("/usr/lib", "/run", "/etc")
            for name in self._files.names(f"{top}/{folder}") or ()
            if name.endswith(".conf")
        }
        for _, path in sorted(places.items()):
            node = self._files.read(path)
            if node is not None and node.kind == "file":
                yield from node.content.decode(errors="replace").splitlines()
