"""apt-settings: how apt and the programs that read its configuration are set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.fragment import Fragment, services

UNATTENDED = "unattended-upgrades.service"


@dataclass(frozen=True, slots=True)
class AptSettings(Fragment):
    """One file, read after those of the distribution. ``values``: name → a text, or the whole list."""

    kind: ClassVar[str] = "apt-settings"
    about: ClassVar[str] = "How apt is set."
    needs: ClassVar[tuple[str, ...]] = ("services", "apt")
    risk: ClassVar[str] = "it decides what is installed as root"

    group: str
    values: Mapping[str, object] = field(default_factory=dict)
    #: A program that has to be there for it to mean anything.
    program: str = UNATTENDED

    @property
    def name(self) -> str:
        return self.group

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(group=name)

    @property
    def path(self) -> str:
        return f"/etc/apt/apt.conf.d/99bookbag-{self.group}"

    def units(self) -> tuple[str, ...]:
        return ()  # each run of apt reads it

    def lacking(self, host: Host) -> str:
        return "" if services(host).state(self.program).known else self.program

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines())

    def problem(self, host: Host) -> str:
        apt = need(host.apt, "apt")
        for name, value in self.values.items():
            found = list(apt.setting(name))
            if found != (value if isinstance(value, list) else [value]):
                return f"apt has {', '.join(found) or 'nothing'} for {name}"
        return ""

    def _lines(self) -> Iterator[str]:
        for name, value in self.values.items():
            if isinstance(value, list):
                entries = " ".join(f'"{one}";' for one in value)
                yield f"#clear {name};"
                if entries:
                    yield f"{name} {{ {entries} }};"
            else:
                yield f'{name} "{value}";'
