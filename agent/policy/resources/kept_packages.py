"""kept-packages: what policy had installed is not taken away as something that nobody asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.core.model import Power
from agent.host.apt import alone
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.dropin import DropIn

CHOSEN = "chosen"
_SETTING = "APT::NeverAutoRemove"


@dataclass(frozen=True, slots=True)
class KeptPackages(DropIn):
    """Names beside those that the distribution keeps."""

    kind: ClassVar[str] = "kept-packages"
    about: ClassVar[str] = "What apt does not remove as left over."
    needs: ClassVar[tuple[str, ...]] = ("apt",)
    risk: ClassVar[str] = ""

    packages: list[str] = field(default_factory=list)
    of: str = "apt"  #: whose list: `CHOSEN` is what people at the laptop chose

    @property
    def name(self) -> str:
        return self.of

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(of=name)

    @property
    def path(self) -> str:
        return f"/etc/apt/apt.conf.d/98bookbag-{CHOSEN if self.of == CHOSEN else 'packages'}"

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""  # names only, as the setting has them: what is kept is there

    def text(self) -> str:
        entries = " ".join(f'"{one}";' for one in self._entries())
        return f"{_SETTING} {{ {entries} }};\n"

    def problem(self, host: Host) -> str:
        lacking = set(self._entries()) - set(need(host.apt, "apt").setting(_SETTING))
        return f"apt does not keep {', '.join(sorted(lacking))}" if lacking else ""

    def _entries(self) -> list[str]:
        return list(map(alone, self.packages))
