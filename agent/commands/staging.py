"""A wipe under way, written down a second time outside of what it erases."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.commands.case import Case
from agent.core.errors import BookbagError
from agent.store import atomic
from agent.store.statefile import StateFile


@dataclass(frozen=True, slots=True)
class Copy:
    """The state file ``wipe``."""

    case: Case
    device: str  #: which was to be erased: the disk may outlive its enrolment
    extra: Mapping[str, object] = field(default_factory=dict)


class Staged:
    """The copy in ``directory`` (on /boot): what decides is the book, but whoever loses the book after the
    decision must not lose the decision."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._file = StateFile(os.path.join(directory, "wipe.json"), Copy, "wipe")

    def put(self, case: Case, device: str) -> None:
        """Write it down, durably."""
        atomic.make_dir(self._directory, mode=0o700)
        self._file.write(Copy(case, device))

    def read(self, device: str) -> Case | None:
        """The wipe of ``device`` that is under way; None if none is. A damaged copy counts as none: the book
        has it. So does one that a former life of this machine left on a /boot that nobody formatted."""
        try:
            copy = self._file.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            return None
        return copy.case if copy and copy.device == device else None

    def remove(self) -> None:
        """It is over."""
        if os.path.isdir(self._directory):
            self._file.remove()
