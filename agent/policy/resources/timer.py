"""timer: when a timer of the distribution's elapses, instead of when its maker thought."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.host.base import Host
from agent.host.services import FOLDER
from agent.policy.bases.fragment import Fragment, services


@dataclass(frozen=True, slots=True)
class Timer(Fragment):
    """A drop-in for one timer. ``calendar``: times as systemd itself writes them; ``spread``: seconds."""

    kind: ClassVar[str] = "timer"
    about: ClassVar[str] = "When a timer that the machine has elapses."
    risk: ClassVar[str] = "what a timer starts runs as root"

    unit: str
    calendar: list[str] = field(default_factory=list)
    spread: int = 0

    @property
    def name(self) -> str:
        return self.unit

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(unit=name)

    @property
    def path(self) -> str:
        return f"{FOLDER}/{self.unit}.d/90-bookbag.conf"

    def units(self) -> tuple[str, ...]:
        return (self.unit,)

    def text(self) -> str:
        """What was missed while the laptop was off is not made up for at its next start, which may be in the
        middle of a lesson.
        """
        times = "".join(f"OnCalendar={one}\n" for one in self.calendar)
        head = "[Timer]\nOnCalendar=\n"
        return f"{head}{times}RandomizedDelaySec={self.spread}\nPersistent=false\n"

    def take_in(self, host: Host) -> None:
        services(host).reread()  # systemd itself does not notice a folder of drop-ins that is new
        services(host).take_in(self.unit)

    def problem(self, host: Host) -> str:
        found = services(host).calendar(self.unit)
        if set(found) != set(self.calendar):
            return f"{self.unit} elapses at {', '.join(found) or 'no time'}"
        return "" if services(host).state(self.unit).active else f"{self.unit} does not run"
