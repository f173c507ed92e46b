"""power-button: what logind does when the power button is pressed, where no desktop does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from agent.core.model import Power
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.fragment import Fragment

UNIT = "systemd-logind.service"
#: What a school says → what logind calls it. Nobody is there to be asked: then it switches off, as ever.
ACTIONS: Final[Mapping[str, str]] = {"ask": "poweroff", "sleep": "suspend", "nothing": "ignore"}


@dataclass(frozen=True, slots=True)
class PowerButton(Fragment):
    """One drop-in of logind's, which is asked what it will do. ``action``: a word of `ACTIONS`."""

    kind: ClassVar[str] = "power-button"
    sole: ClassVar[str] = "logind"
    about: ClassVar[str] = "What the power button does where no desktop asks."
    needs: ClassVar[tuple[str, ...]] = ("services", "hardware")
    risk: ClassVar[str] = "it is not known to be harmless"

    action: str = ""

    @property
    def path(self) -> str:
        return "/etc/systemd/logind.conf.d/90-bookbag-power-button.conf"

    def power(self) -> tuple[Power, str]:
        return (Power.ORDINARY, "") if self.action in ACTIONS else (Power.ROOT, self.risk)

    def units(self) -> tuple[str, ...]:
        return (UNIT,)

    def text(self) -> str:
        return f"[Login]\nHandlePowerKey={ACTIONS.get(self.action, '')}\n"

    def problem(self, host: Host) -> str:
        found = need(host.hardware, "hardware").on_power_button()
        return "" if found == ACTIONS.get(self.action, "") else f"logind would {found}"
