"""What is arranged for whoever has this laptop: the newest `arrange` order, in two copies of root's own.

It outlives the order's place in the mailbox: who withholds mail takes nothing away. It ends with its time,
with a newer order, and with the laptop's enrolment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.store import atomic
from agent.store.twinfile import TwinFile


@dataclass(frozen=True, slots=True)
class Arranged:
    """The state file ``arranged``. ``roles``: those that the signers spoke for when it was taken
    (`TrustDocument.speaking_for`), for what they may loosen does not hang on who works at the school next
    year. ``until``: trusted unix seconds."""

    order: str = ""
    device: str = ""
    epoch: int = 0
    seq: int = 0
    roles: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)  #: setting → value, as in a policy
    until: int = 0
    at: int = 0  #: when it was taken
    count: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def turn(self) -> tuple[int, int]:
        """Of two orders the one with the greater turn is newer."""
        return (self.epoch, self.seq)

    def holds(self, device: str, at: int) -> bool:
        """Whether it is in force on ``device`` at trusted time ``at``: that waits out a clock which ran
        ahead, and goes on while the laptop runs, so it neither ends early nor never."""
        return bool(self.settings) and self.device == device and at < self.until


class Arrangements:
    """What is kept at ``path`` and ``path.2``."""

    def __init__(self, path: str) -> None:
        self._file = TwinFile(
            path, Arranged, "arranged", remedy="have it arranged again: bookbag-fleet accommodate"
        )

    def read(self) -> Arranged:
        """What was arranged last. Raises ``state-corrupt`` if neither copy is whole."""
        return self._file.read() or Arranged()

    def keep(self, arranged: Arranged) -> None:
        """Take it down. The same one again is written again: the first time may have been cut off between the
        copies. Raises ``replayed`` for an older one than is here."""
        try:
            known = self.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            known = Arranged()
        if known.device == arranged.device and known.turn > arranged.turn:
            raise BookbagError("replayed", "cannot arrange this: a newer order was taken since")
        self._file.write(arranged)

    def forget(self) -> None:
        """What was arranged in a former life of this laptop: it may have been for somebody else."""
        for path in (self._file.path, f"{self._file.path}.2"):
            atomic.remove(path)

    def tidy(self, at: int) -> None:
        """Forget what it said once it is over."""
        known = self.read()
        if known.settings and known.until <= at:
            self._file.write(replace(known, settings={}, roles=()))
