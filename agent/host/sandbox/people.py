"""Who uses the laptop in a folder: names in DIR/.sandbox/sessions.json. Nobody has a real process."""

from __future__ import annotations

from collections.abc import Iterable

from agent.host.base import Facts
from agent.host.sandbox.notes import Notes


class SandboxPeople:
    """The sessions noted in ``notes``, of the users that ``facts`` names."""

    def __init__(self, facts: Facts, notes: Notes) -> None:
        self._facts = facts
        self._notes = notes

    def among(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(set(names) & set(self._facts.users())))

    def present(self) -> tuple[str, ...]:
        return self._notes.texts("sessions")

    def end(self) -> None:
        self._notes.put("sessions", [])

    def welcome(self, users: Iterable[str]) -> None:
        pass  # what lingers has no process here

    def log_in(self, user: str) -> None:
        """Note a session of ``user``; whether he may is asked before."""
        self._notes.put("sessions", sorted({*self.present(), user}))


class SandboxLogins:
    """Whoever simulates a login asks the gate (`trying`)."""

    def fault(self) -> str:
        return ""

    def holes(self) -> tuple[str, ...]:
        return ()
