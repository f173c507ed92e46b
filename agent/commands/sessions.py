"""What a teacher started on this laptop: which timetable of its policy is on because of it, and until when.

The end is signed. While the laptop stays on, what is left is counted by boottime, which goes on in sleep
and which nobody can move; after a restart the trusted clock says how much of it has gone, and no more is
left than before."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.store.statefile import StateFile


@dataclass(frozen=True, slots=True)
class Session:
    """The state file ``session``. Times are unix seconds."""

    device: str = ""  #: who the laptop was
    order: str = ""  #: id of the newest order
    epoch: int = 0
    seq: int = 0
    timetable: str = ""  #: what is on; "": nothing, or no more
    length: int = 0  #: seconds from its signature to its end
    until: int = 0
    persons: tuple[str, ...] = ()
    left_s: int = 0  #: of it, at ``boottime`` of the boot ``boot_id``
    boottime: int = 0
    boot_id: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def turn(self) -> tuple[int, int]:
        """Of two the one with the greater turn is newer."""
        return self.epoch, self.seq

    def left(self, at: int, boottime: int, boot_id: str) -> int:
        """Seconds that it still lasts at trusted time ``at``; 0: it is over."""
        if not self.timetable:
            return 0
        if boot_id and boot_id == self.boot_id:
            return max(0, self.left_s - max(0, boottime - self.boottime))
        return max(0, min(self.left_s, self.until - at))

    def counted_from(self, at: int, boottime: int, boot_id: str) -> Session:
        """The same, counted from now on by the boottime of this boot."""
        left = self.left(at, boottime, boot_id)
        return replace(self, left_s=left, boottime=boottime, boot_id=boot_id)


class Sessions:
    """The newest session, as the command worker writes it, and beside it how the enforce worker counts it:
    each writes a file of its own, so that neither undoes what the other just wrote."""

    def __init__(self, path: str) -> None:
        self._file = StateFile(path, Session, "session")
        self._counted = StateFile(f"{path.removesuffix('.json')}-counted.json", Session, "session")

    def read(self) -> Session:
        """The newest. A damaged file is none: what is closed by hours stays closed."""
        return _tolerant(self._file)

    def write(self, session: Session) -> Session:
        """Keep it, durably, unless a newer one is there already; what is kept."""
        known = self.read()
        if session.device == known.device and session.turn < known.turn:
            return known
        self._file.write(session)
        return session

    def count(self, at: int, boottime: int, boot_id: str) -> tuple[Session, int]:
        """The newest, and what is left of it; after a restart it is noted what was left then."""
        newest = self.read()
        if not newest.timetable:
            return newest, 0
        counted = _tolerant(self._counted)
        if counted.order != newest.order:
            counted = newest
        if counted.boot_id != boot_id:
            counted = counted.counted_from(at, boottime, boot_id)
            with suppress(BookbagError):  # a full disk: then the trusted clock alone tells, each time anew
                self._counted.write(counted)
        return newest, counted.left(at, boottime, boot_id)


def _tolerant(file: StateFile[Session]) -> Session:
    try:
        return file.read() or Session()
    except BookbagError as problem:
        if problem.code not in ("state-corrupt", "format-too-new"):  # neither may stop policy or a lock
            raise
        return Session()
