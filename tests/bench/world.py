"""What the benchmarks share: a folder on a real disk, a site, laptops; each made when first asked for."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.lab import LabSchool
    from tests.bench.site import Site


class World:
    """A context manager; leaving it removes and stops everything that was made."""

    def __init__(self, folder: Path, *, quick: bool = False) -> None:
        self.folder = folder
        self.quick = quick
        self._held = ExitStack()
        self._no_lab: Exception | None = None

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def rounds(self, count: int) -> int:
        """How often to measure: ``count``, or a third of it when in a hurry."""
        return max(3, count // 3) if self.quick else count

    @cached_property
    def site(self) -> Site:
        """A desk, and a sandbox laptop enrolled with it, with a thousand files by policy."""
        from tests.bench.site import make_site

        return make_site(self.folder / "site")

    @cached_property
    def lab(self) -> LabSchool:
        """A laptop of the lab, enrolled. Raises what it failed with, each time: it is tried once."""
        from tests.bench.lab import open_school

        if self._no_lab is not None:
            raise self._no_lab
        try:
            return self._held.enter_context(open_school(self.folder))
        except Exception as problem:
            self._no_lab = problem
            raise
