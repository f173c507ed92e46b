"""A state file in two copies, so that one bad sector forgets nothing.

Each copy is a checksummed state file written atomically, first ``path``, then ``path.2``. Reading takes the
newest copy that is whole. Damaged copies stay where they are: for what is kept this way, "there never was
any" would be the wrong conclusion.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from agent.core.errors import BookbagError
from agent.store.statefile import StateFile


class Counted(Protocol):
    """A dataclass whose ``count`` tells the newer of two copies: it grows with each write."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def count(self) -> int:
        """How often it was written."""
        ...


T = TypeVar("T", bound=Counted)


class TwinFile(Generic[T]):
    """Two copies of one ``cls``. ``remedy``: what to do when both are damaged."""

    def __init__(self, path: str, cls: type[T], kind: str, *, remedy: str = "") -> None:
        self.path = path
        self._kind = kind
        self._remedy = remedy
        self._copies = tuple(StateFile(one, cls, kind, stay=True) for one in (path, f"{path}.2"))

    def read(self) -> T | None:
        """What was last written; None if nothing ever was. Raises ``state-corrupt`` if no copy is whole."""
        whole: list[T] = []
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
                f"cannot read either copy of the {self._kind} file: {damage.message}",
                place=self.path,
                remedy=self._remedy,
            ) from damage
        return max(whole, key=lambda copy: copy.count, default=None)

    def write(self, value: T) -> T:
        """Replace both copies durably, with the next count; returns what was written. Raises ``disk-full``:
        then at most the first was replaced, whole."""
        try:
            newest = self.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            newest = None
        counted = replace(value, count=(newest.count if newest else 0) + 1)
        for copy in self._copies:
            copy.write(counted)
        return counted
