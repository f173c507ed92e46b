"""The fsynced memory of the newest signed things accepted, in two copies, so that one bad sector forgets
nothing.

Each copy is a checksummed JSON file written atomically, first ``path``, then ``path.2``. Reading takes the
newest copy that is whole. Two damaged copies are *not* forgotten by being set aside: they stay
``state-corrupt`` until someone entitled to it commits anew, because "never accepted anything" would let old
signatures back in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.store.statefile import StateFile


@dataclass(frozen=True, slots=True)
class Marks:
    """One copy's content. ``count`` tells the newer copy: it grows with each commit."""

    count: int
    marks: Mapping[str, int]
    notes: Mapping[str, str]
    extra: Mapping[str, object] = field(default_factory=dict)


class HighWaterFile:
    """`agent.core.ports.HighWater` on two files."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._copies = tuple(StateFile(p, Marks, "high-water", stay=True) for p in (path, f"{path}.2"))

    def read(self) -> tuple[Mapping[str, int], Mapping[str, str]] | None:
        """Marks and notes; None if there never were any. Raises ``state-corrupt`` if no copy is whole."""
        newest = self._newest()
        return None if newest is None else (newest.marks, newest.notes)

    def commit(self, marks: Mapping[str, int], notes: Mapping[str, str]) -> None:
        """Replace both copies durably. Raises ``disk-full``: then at most the first was replaced, whole."""
        try:
            newest = self._newest()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            newest = None
        count, extra = (newest.count, newest.extra) if newest else (0, {})
        record = Marks(count + 1, dict(marks), dict(notes), extra)
        for copy in self._copies:
            copy.write(record)

    def _newest(self) -> Marks | None:
        whole: list[Marks] = []
        damage: BookbagError | None = None
        for copy in self._copies:
            try:
                found = copy.read()
            except BookbagError as problem:
                if problem.code != "state-corrupt":
                    raise
                damage = problem
            else:
                whole += [found] if found else []
        if damage and not whole:
            raise BookbagError(
                "state-corrupt",
                f"cannot tell what was accepted before: {damage.message}",
                place=self.path,
                remedy="the laptop has to be readmitted",
            ) from damage
        return max(whole, key=lambda copy: copy.count, default=None)
