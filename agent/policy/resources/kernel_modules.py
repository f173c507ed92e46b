"""kernel-modules: the drivers of a kind of device are not loaded, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.peripherals import Closed

RISK = "what the kernel loads is root's to say"


@dataclass(frozen=True, slots=True)
class KernelModules(Closed):
    """One file of modprobe's."""

    kind: ClassVar[str] = "kernel-modules"
    about: ClassVar[str] = "Whether the drivers of a kind of device are loaded."
    needs: ClassVar[tuple[str, ...]] = ("hardware",)
    risk: ClassVar[str] = RISK

    @property
    def path(self) -> str:
        return f"/etc/modprobe.d/90-bookbag-{self.device}.conf"

    def units(self) -> tuple[str, ...]:
        return ()  # modprobe reads it anew each time

    def rules(self) -> str:
        return "".join(f"install {one} /bin/false\n" for one in self.peripheral.modules)

    def problem(self, host: Host) -> str:
        hardware = need(host.hardware, "hardware")
        for module in self.peripheral.modules:
            if hardware.refuses(module) is not self.blocked:
                return (
                    f"{module} {'can still be loaded' if self.blocked else 'is kept from loading by others'}"
                )
        return ""
