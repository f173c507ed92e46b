"""The services of a machine one by one, as policy asks for them: what the service manager knows of a unit,
and that a program takes in what was written for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

#: Where links say what starts with the machine, and where a link to nothing keeps a unit from ever starting.
FOLDER = "/etc/systemd/system"
ENABLED, DISABLED, MASKED, STATIC, UNKNOWN = "enabled", "disabled", "masked", "static", ""


@dataclass(frozen=True, slots=True)
class Service:
    """How one unit stands."""

    #: Whether it starts with the machine: ``enabled``, ``disabled``, ``masked`` (nothing can start it), or
    #: ``static`` for what is neither because others start it; "": there is no such unit.
    enabled: str = UNKNOWN
    active: bool = False  #: whether it runs now (a timer: whether it waits), or is about to

    @property
    def known(self) -> bool:
        """Whether there is such a unit on this machine."""
        return self.enabled != UNKNOWN


class Services(Protocol):
    """The service manager. ``unit`` is a whole name such as ``cups.service``; another raises ``bad-path``."""

    def state(self, unit: str) -> Service:
        """How ``unit`` stands. Changes nothing, and starts nothing."""
        ...

    def calendar(self, unit: str) -> tuple[str, ...]:
        """When the timer ``unit`` elapses, each as systemd writes it (``*-*-* 06:00:00``); () if never."""
        ...

    def install(self, unit: str) -> Mapping[str, str]:
        """The links that would make ``unit`` start with the machine: path → where it leads. Nothing for one
        that is masked, or that others start.
        """
        ...

    def reread(self) -> None:
        """Unit files and links that were changed count from now on. No unit is started or stopped by it."""
        ...

    def take_in(self, unit: str) -> None:
        """What was written for ``unit`` counts from now on: if it runs it reads it again, or is started again
        where it cannot. One that does not run, or that is not there, is left as it is. After a drop-in of
        the unit itself, `reread` first.

        Raises ``not-effective`` if it does not come up again.
        """
        ...

    def set_active(self, unit: str, active: bool) -> None:
        """Make it run now, or stop; if it is so: nothing to do. Raises ``not-effective``."""
        ...
