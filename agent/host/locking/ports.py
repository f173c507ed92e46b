"""What the layers ask of a machine beyond files. The real ones are in linux/, the simulated in sandbox/."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Logins(Protocol):
    """How this machine decides who may log in."""

    def fault(self) -> str:
        """Why logins do not ask our gate; "" if they do."""
        ...

    def holes(self) -> tuple[str, ...]:
        """Ways in that do not ask it although others do."""
        ...


class Units(Protocol):
    """The service manager. Every verb may be repeated, and waits until what it asks for is done."""

    def standing(self) -> tuple[str, ...]:
        """Sorted names of the active units that run by standing order: not those started for one occasion,
        nor those that come by themselves when somebody asks for them.
        """
        ...

    def active(self, patterns: Iterable[str]) -> tuple[str, ...]:
        """Sorted names of the units that are active, coming or going and match one of ``patterns``
        (``*``).
        """
        ...

    def network(self) -> tuple[str, ...]:
        """Sorted names of the active units that the network and the clock need."""
        ...

    def reload(self) -> None:
        """Read unit files and links again."""
        ...

    def isolate(self, target: str) -> None:
        """Start ``target`` and what it wants, and stop everything else."""
        ...

    def start(self, units: Iterable[str]) -> None:
        """Start those that are not active. One that cannot be started is left, and holds up nothing."""
        ...

    def stop(self, patterns: Iterable[str]) -> None:
        """Stop every active unit that matches."""
        ...


class People(Protocol):
    """Whoever uses the machine: accounts of people, never the system's own."""

    def among(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of ``names`` that are login names of people, sorted."""
        ...

    def present(self) -> tuple[str, ...]:
        """Sorted names (or ids) of people of whom a session or a process is here."""
        ...

    def end(self) -> None:
        """End every session and process of people. Raises ``not-effective`` if some would not end."""
        ...

    def welcome(self, users: Iterable[str]) -> None:
        """Start what runs for ``users`` without their being logged in (those who linger)."""
        ...


class Console(Protocol):
    """The keyboard and the screens of the machine itself."""

    def sysrq(self) -> int | None:
        """What the magic SysRq keys may do, as the kernel says; None if that cannot be changed here."""
        ...

    def set_sysrq(self, value: int) -> None:
        """Change it until the next boot."""
        ...

    def reread(self) -> None:
        """Have the login manager read its configuration again."""
        ...
