"""The fsynced memory of the newest signed things accepted, in two copies.

Two damaged copies are *not* forgotten by being set aside: they stay ``state-corrupt`` until someone entitled
to it commits anew, because "never accepted anything" would let old signatures back in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.store.twinfile import TwinFile


@dataclass(frozen=True, slots=True)
class Marks:
    """One copy's content."""

    count: int
    marks: Mapping[str, int]
    notes: Mapping[str, str]
    extra: Mapping[str, object] = field(default_factory=dict)


class HighWaterFile:
    """`agent.core.ports.HighWater` on two files."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = TwinFile(path, Marks, "high-water", remedy="the laptop has to be readmitted")

    def read(self) -> tuple[Mapping[str, int], Mapping[str, str]] | None:
        """Marks and notes; None if there never were any. Raises ``state-corrupt`` if no copy is whole."""
        newest = self._file.read()
        return None if newest is None else (newest.marks, newest.notes)

    def commit(self, marks: Mapping[str, int], notes: Mapping[str, str]) -> None:
        """Replace both copies durably. Raises ``disk-full``: then at most the first was replaced, whole."""
        try:
            newest = self._file.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            newest = None
        extra = newest.extra if newest else {}
        self._file.write(Marks(0, dict(marks), dict(notes), extra))
