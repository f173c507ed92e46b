"""Settings that open or close a kind of device."""

from __future__ import annotations

from typing import ClassVar

from agent.policy.bases.graded import BLOCKED, Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.kernel_modules import RISK, KernelModules
from agent.policy.resources.usb_rules import UsbRules


class Closable(Graded):
    """``device``: a word of `PERIPHERALS`."""

    device: ClassVar[str]
    powers: ClassVar[str] = RISK

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        blocked = value == BLOCKED
        return KernelModules(self.device, blocked), UsbRules(self.device, blocked)
