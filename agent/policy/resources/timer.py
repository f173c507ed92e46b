"""timer: when a timer of the distribution's elapses, instead of when its maker thought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.host.base import Host
from agent.host.services import FOLDER
from agent.host.unit_names import NAME
from agent.policy.bases.fragment import Fragment, services
from agent.policy.bases.units import forbidden_unit
from agent.policy.syntax.calendar import Calendar
from agent.policy.syntax.values import Duration, Key, ListOf, Text

_TIMER = NAME.replace("(service|socket|timer|path)", "timer")


@dataclass(frozen=True, slots=True)
class Timer(Fragment):
    """A drop-in for one timer. ``calendar``: times as systemd itself writes them; ``spread``: seconds."""

    kind: ClassVar[str] = "timer"
    about: ClassVar[str] = (
        "When a timer that the machine has elapses, instead of when its maker thought. What was missed while "
        "the laptop was off is not made up for. Where `updates.automatic` has hours, apt's two are its."
    )
    risk: ClassVar[str] = "what a timer starts runs as root"
    powers: ClassVar[str] = "Always takes two persons. Timers of Bookbag and systemd are no policy's."
    direct: ClassVar[bool] = True
    keys: ClassVar[Mapping[str, Key]] = {
        "unit": Key(
            Text(most=200, pattern=_TIMER, what="the whole name of a timer such as man-db.timer"),
            required=True,
            about="which",
        ),
        "calendar": Key(
            ListOf(Calendar(), most=48), required=True, about="when it elapses, in local time, instead"
        ),
        "spread": Key(
            Duration(least=0, most=43_200), about="up to how much later, by chance; at once if left out"
        ),
    }
    example: ClassVar[str] = '- timer: {unit: apt-daily.timer, calendar: ["Mon..Fri 16:00"], spread: 30m}'

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

    def forbidden(self) -> str:
        return forbidden_unit(self.unit)

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
