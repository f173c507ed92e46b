"""lid: what a laptop does when it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from agent.core.model import Power
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.fragment import Fragment

UNIT = "systemd-logind.service"
#: What a school says → what logind calls it.
ACTIONS: Final[Mapping[str, str]] = {
    "sleep": "suspend",
    "lock": "lock",
    "nothing": "ignore",
    "off": "poweroff",
}


@dataclass(frozen=True, slots=True)
class Lid(Fragment):
    """One drop-in of logind's, which is asked what it will do. ``action``: a word of `ACTIONS`."""

    kind: ClassVar[str] = "lid"
    sole: ClassVar[str] = "logind"
    about: ClassVar[str] = "What a laptop does when it is closed."
    needs: ClassVar[tuple[str, ...]] = ("services", "hardware")
    risk: ClassVar[str] = "it is not known to be harmless"

    action: str = ""

    @property
    def path(self) -> str:
        return "/etc/systemd/logind.conf.d/90-bookbag-lid.conf"

    def power(self) -> tuple[Power, str]:
        return (Power.ORDINARY, "") if self.action in ACTIONS else (Power.ROOT, self.risk)

    def units(self) -> tuple[str, ...]:
        return (UNIT,)

    def text(self) -> str:
        action = ACTIONS.get(self.action, "")
        return f"[Login]\nHandleLidSwitch={action}\nHandleLidSwitchExternalPower={action}\n"

    def problem(self, host: Host) -> str:
        found = need(host.hardware, "hardware").on_lid()
        return "" if found == ACTIONS.get(self.action, "") else f"logind would {found}"
