"""timesyncd: whom systemd-timesyncd asks for the time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.fragment import Fragment

UNIT = "systemd-timesyncd.service"
#: The name or address of a time server.
SERVER = r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,200}[A-Za-z0-9])?"


@dataclass(frozen=True, slots=True)
class Timesyncd(Fragment):
    """One drop-in, read after the distribution's; the service is asked whom it asks."""

    kind: ClassVar[str] = "timesyncd"
    sole: ClassVar[str] = "servers"
    about: ClassVar[str] = "The servers that systemd-timesyncd asks for the time."
    needs: ClassVar[tuple[str, ...]] = ("services", "timekeeping")
    risk: ClassVar[str] = "a server of somebody else's could set the clock of every laptop"

    servers: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return "/etc/systemd/timesyncd.conf.d/90-bookbag.conf"

    def units(self) -> tuple[str, ...]:
        return (UNIT,)

    def text(self) -> str:
        return f"[Time]\nNTP=\nNTP={' '.join(self.servers)}\n"

    def problem(self, host: Host) -> str:
        found = need(host.timekeeping, "timekeeping").servers()
        if found == tuple(self.servers):
            return ""
        return f"{UNIT} asks {', '.join(found) or 'no server of ours'}"
