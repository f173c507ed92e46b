"""Names on the laptop in a folder: NetworkManager's rules over the files that are in it."""

from __future__ import annotations

from collections.abc import Iterator

from agent.host.base import Files
from agent.host.sandbox.services import SandboxServices

UNIT = "NetworkManager.service"
#: What a network gives a laptop that decided nothing.
GIVEN = ("192.0.2.53",)
_TOP = "NetworkManager"


class SandboxResolving:
    """What NetworkManager would write into /etc/resolv.conf, as long as it runs; nothing else writes it."""

    def __init__(self, files: Files, services: SandboxServices) -> None:
        self._files = files
        self._services = services

    def servers(self) -> tuple[str, ...]:
        return self._said("global-dns-domain-*", "servers")[:3] or GIVEN

    def searches(self) -> tuple[str, ...]:
        # Without a server for all names, the rest of it is passed over.
        return self._said("global-dns", "searches") if self._said("global-dns-domain-*", "servers") else ()

    def _said(self, section: str, key: str) -> tuple[str, ...]:
        found = ""
        if self._services.state(UNIT).active:
            for within, name, value in self._lines():
                if (within, name) == (section, key):
                    found = value
        return tuple(one for one in found.replace(",", ";").split(";") if one)

    def _lines(self) -> Iterator[tuple[str, str, str]]:
        """(section, key, value), the last of which counts."""
        for path in self._paths():
            node, within = self._files.read(path), ""
            text = node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""
            for line in text.splitlines():
                key, equals, value = line.partition("=")
                if line.startswith("["):
                    within = line.strip("[]")
                elif equals and not line.startswith("#"):
                    yield within, key.strip(), value.strip()

    def _paths(self) -> list[str]:
        """Packages' files come before the main one; what has a namesake in /etc is not read."""
        named = {
            top: sorted(
                name for name in self._files.names(f"{top}/{_TOP}/conf.d") or () if name.endswith(".conf")
            )
            for top in ("/usr/lib", "/etc")
        }
        before = [name for name in named["/usr/lib"] if name not in named["/etc"]]
        return [
            *(f"/usr/lib/{_TOP}/conf.d/{name}" for name in before),
            f"/etc/{_TOP}/{_TOP}.conf",
            *(f"/etc/{_TOP}/conf.d/{name}" for name in named["/etc"]),
        ]
