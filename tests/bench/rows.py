"""What a benchmark promises, what it measured, and whether that keeps the promise."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tests.bench.world import World


class NotMeasured(Exception):
    """Why a row has no figure. An honest gap, and a failure all the same."""


class Verdict(StrEnum):
    """How a row stands. ``FREE`` has no budget and is shown for comparison."""

    OK = "ok"
    OVER = "over"
    NOT_MEASURED = "not measured"
    FREE = "no budget"


@dataclass(frozen=True, slots=True)
class Samples:
    """Measured values of one thing, in the unit of its row."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or not all(math.isfinite(value) for value in self.values):
            raise NotMeasured("no value came out")

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        """By nearest rank: of fewer than a hundred values the worst."""
        return sorted(self.values)[math.ceil(0.99 * len(self.values)) - 1]

    @classmethod
    def of(cls, values: Sequence[float], scale: float = 1.0) -> Samples:
        """Values times ``scale``."""
        return cls(tuple(value * scale for value in values))


@dataclass(frozen=True, slots=True)
class Budget:
    """At most ``most``, in the row's unit; with ``times_peer`` at most ``most`` times the first peer."""

    most: float
    times_peer: bool = False


@dataclass(frozen=True, slots=True)
class Promise:
    """One row as announced before anything runs, so that it cannot go missing in silence."""

    name: str
    what: str
    unit: str
    budget: Budget | None
    statistic: str = "median"  #: or p99


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out: ours, the floors and peers of the same run by name, and how to read it."""

    ours: Samples
    peers: Mapping[str, Samples]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A promise and what became of it. ``why``: the reason that ``measured`` is None."""

    promise: Promise
    measured: Measured | None
    why: str = ""

    def value(self, samples: Samples) -> float:
        """The figure that is judged."""
        return samples.p99 if self.promise.statistic == "p99" else samples.median

    def ratios(self) -> dict[str, float | None]:
        """Ours divided by each peer; None where the peer is zero."""
        if self.measured is None:
            return {}
        ours = self.value(self.measured.ours)
        return {
            name: ours / self.value(peer) if self.value(peer) else None
            for name, peer in self.measured.peers.items()
        }

    @property
    def verdict(self) -> Verdict:
        """Whether the budget is kept. A budget that hangs on a peer that is missing cannot be judged."""
        if self.measured is None:
            return Verdict.NOT_MEASURED
        budget = self.promise.budget
        if budget is None:
            return Verdict.FREE
        figure: float | None = self.value(self.measured.ours)
        if budget.times_peer:
            figure = next(iter(self.ratios().values()), None)
        if figure is None:
            return Verdict.NOT_MEASURED
        return Verdict.OK if figure <= budget.most else Verdict.OVER


Results = Mapping[str, Measured]


@dataclass(frozen=True, slots=True)
class Bench:
    """Rows that are measured together. ``measure`` returns them by the names of the promises."""

    name: str
    promises: tuple[Promise, ...]
    measure: Callable[[World], Results]


def run(bench: Bench, world: World) -> list[Row]:
    """One row for each promise, whatever happens inside."""
    try:
        results = bench.measure(world)
        why = "its benchmark did not return it"
    except NotMeasured as gap:
        results, why = {}, str(gap)
    except Exception as problem:
        results, why = {}, f"{type(problem).__name__}: {problem}"
    return [Row(one, results.get(one.name), "" if one.name in results else why) for one in bench.promises]
