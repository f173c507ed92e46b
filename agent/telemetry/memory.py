"""What telemetry remembers between runs, in one small state file of its own user. Losing it costs counts
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agent.core.errors import BookbagError
from agent.store.statefile import StateFile
from agent.telemetry import dropped

MOST = 1_000_000  #: no total counts further


@dataclass(frozen=True, slots=True)
class Strikes:
    """How one collector behaves: ``count`` failures in a row; it sits out ``rest`` further runs."""

    count: int = 0
    rest: int = 0
    cpu_ms: int = 0  #: of its last run
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """A day (days since 1970), what was seen of it: starts, and how busy the processor was, in
    milliseconds.
    """

    day: int = 0
    boots: int = 0
    busy: int = 0
    whole: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """The state file ``telemetry``."""

    collected: Mapping[str, int] = field(default_factory=dict)  #: record → trusted time of its newest report
    dropped: Mapping[str, int] = field(default_factory=dict)  #: reason → reports since the laptop was set up
    collectors: Mapping[str, Strikes] = field(default_factory=dict)
    today: Tally = Tally()
    yesterday: Tally = Tally()
    boot: str = ""  #: the boot that was seen last, and what its processor had done by then
    busy: int = 0
    whole: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)

    def lost(self, counts: Mapping[str, int]) -> Memory:
        """With further reports that will never arrive."""
        totals = dict(self.dropped)
        for reason, count in counts.items():
            if count:
                totals[reason] = min(MOST, totals.get(reason, 0) + count)
        return replace(self, dropped=totals)


class MemoryFile:
    """Where `Memory` is kept. A damaged one is set aside and counted; nothing stops for it. ``stay``: for
    those who only read, it stays where it is.
    """

    def __init__(self, folder: str, *, stay: bool = False) -> None:
        self._file = StateFile(f"{folder}/state.json", Memory, "telemetry", mode=0o644, stay=stay)

    def read(self) -> Memory:
        """What is remembered."""
        try:
            return self._file.read() or Memory()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            return Memory().lost({dropped.DAMAGED: 1})

    def write(self, memory: Memory) -> None:
        """Remember, durably. Raises ``disk-full`` and leaves what was."""
        self._file.write(memory)

    def lose(self, counts: Mapping[str, int]) -> None:
        """Count reports that will never arrive."""
        if any(counts.values()):
            self.write(self.read().lost(counts))
