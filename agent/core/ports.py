"""What a room needs of an equal room, as protocols. `agent.daemon.wiring` joins them to implementations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from agent.core.model import Entry, State


class HighWater(Protocol):
    """The fsynced memory of the newest signed things this laptop has accepted (I-5, no rollback).

    Marks are a flat mapping of dotted names to integers, e.g. ``root``, ``targets``, ``timestamp``,
    ``snapshot``, ``role.policy-ict``, ``epoch``, ``seq.assign``; texts (such as the online key ids that reset
    marks) live in ``notes``.
    """

    def read(self) -> tuple[Mapping[str, int], Mapping[str, str]] | None:
        """Marks and notes; None if there never were any. Raises BookbagError ``state-corrupt`` if
        unreadable."""
        ...

    def commit(self, marks: Mapping[str, int], notes: Mapping[str, str]) -> None:
        """Replace both, durably, before anything is done on their strength."""
        ...


class Ledger(Protocol):
    """Append-only, hash-chained record of what was decided and done on this laptop."""

    def append(self, entry: Entry) -> str:
        """Store durably; returns the new head hash (64 hex)."""
        ...

    def entries(self, *, newest: int = 100) -> Iterator[Entry]:
        """The newest entries, newest first."""
        ...


class Undo(Protocol):
    """The journal of what was there before Bookbag changed it, one record per resource."""

    def remember(self, priors: Mapping[str, State | None]) -> None:
        """Durably record the prior state of resources not yet in the journal, in one transaction; known ones
        keep theirs."""
        ...

    def wrote(self, states: Mapping[str, State | None]) -> None:
        """Durably record what Bookbag last left there (to notice when someone else changed it since)."""
        ...

    def prior(self, resource: str) -> tuple[State | None, State | None]:
        """(prior, last written) of ``resource``. Raises KeyError if it is not in the journal."""
        ...

    def resources(self) -> tuple[str, ...]:
        """Every resource in the journal, oldest first."""
        ...

    def forget(self, resource: str) -> None:
        """Durably drop a record, after its prior state was restored or given up."""
        ...


class Secrets(Protocol):
    """What the school gave this laptop to keep for itself, by name. A value is told to the program that needs
    it, and to nobody else."""

    def find(self, name: str) -> str | None:
        """The value of one; None if it was not given. Raises ``state-corrupt`` if nobody can tell."""
        ...

    def names(self) -> tuple[str, ...]:
        """Of all of them. Raises as `find`."""
        ...


class Outbox(Protocol):
    """Sealed returns on their way to the desk."""

    def put(self, name: str, data: bytes) -> None:
        """Store ``data`` durably under ``name`` (idempotent)."""
        ...

    def names(self) -> tuple[str, ...]:
        """What is waiting, oldest first."""
        ...

    def remove(self, name: str) -> None:
        """Drop one that was delivered (absent: no error)."""
        ...
