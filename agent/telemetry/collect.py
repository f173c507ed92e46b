"""One collection: every collector of the wanted records, metered, judged alone, through the gate, into the
spool.

============================  ==========================================================
a collector that              is
============================  ==========================================================
raises, hangs, burns CPU      given a strike; its fields are left out this time
ended the whole process       given a strike at the next run, for its name was noted down
has three strikes in a row    left out for eight runs (two days), and named in the report
goes well once                forgiven
============================  ==========================================================
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent import __version__
from agent.core.ids import new_id
from agent.telemetry import dropped, tally
from agent.telemetry.collectors import Collector, collectors
from agent.telemetry.declaration import Record, Value
from agent.telemetry.memory import MemoryFile, Strikes
from agent.telemetry.outbox import Outbox
from agent.telemetry.privacy import admit
from agent.telemetry.records import LAPTOP
from agent.telemetry.report import Cause, Report
from agent.telemetry.seen import Seen

SECONDS = 5.0  #: that a collector may take
CPU_MS = 250  #: that it may burn
STRIKES, REST = 3, 8


@dataclass(frozen=True, slots=True)
class Collected:
    """What came of it: the reports that now wait, names of values that the gate withheld, CPU per
    collector.
    """

    reports: tuple[Report, ...]
    withheld: tuple[str, ...]
    cpu_ms: Mapping[str, int]


class Collection:
    """One run over the laptop that ``seen`` shows, for ``installation``. State is saved before each step."""

    def __init__(self, seen: Seen, installation: str, memory: MemoryFile, outbox: Outbox) -> None:
        self._seen = seen
        self._installation = installation
        self._file = memory
        self._outbox = outbox
        self._running = f"{seen.layout.telemetry}/running"
        self._memory = memory.read()
        self._withheld: list[str] = []
        self._cpu: dict[str, int] = {}

    def run(self, wanted: tuple[Record, ...], cause: Cause) -> Collected:
        """Collect and spool one report of each wanted record."""
        self._blame_the_dead()
        sensors, clock = self._seen.readings.sensors, self._seen.readings.clock
        self._memory = tally.count(self._memory, self._seen.at, clock.boot_id(), sensors.cpu())
        reports = [self._report(record, cause) for record in wanted]
        counts: Counter[str] = Counter({dropped.WITHHELD: len(self._withheld)})
        stored = []
        for report in reports:
            if report.values:
                counts += self._outbox.put(report)
                stored.append(report)
                collected = {**self._memory.collected, report.record: report.at}
                self._memory = replace(self._memory, collected=collected)
        self._memory = self._memory.lost(counts)
        self._file.write(self._memory)
        return Collected(tuple(stored), tuple(self._withheld), self._cpu)

    def _report(self, record: Record, cause: Cause) -> Report:
        given: dict[str, Value] = {}
        for collector in collectors():
            if collector.record == record.name:
                given |= self._judged(collector)
        values, withheld = admit(record.fields, given)
        laptop, strange = admit(LAPTOP, self._laptop())
        self._withheld += [f"{record.name}.{name}" for name in (*withheld, *strange)]
        return Report(record.name, new_id(), self._seen.at, cause, laptop, values)

    def _laptop(self) -> dict[str, Value]:
        system = self._seen.readings.facts.system()
        return {
            "installation": self._installation,
            "agent": __version__,
            "os": system.get("os"),
            "os-version": system.get("version") or None,
            "arch": system.get("arch"),
            "class": self._seen.readings.sensors.chassis(),
        }

    def _judged(self, collector: Collector) -> Mapping[str, Value]:
        strikes = self._memory.collectors.get(collector.name, Strikes())
        if strikes.rest:
            self._note(collector.name, replace(strikes, rest=strikes.rest - 1))
            return {}
        self._mark(collector.name)
        run = _Run(collector, replace(self._seen, memory=self._memory))
        values = run.values()
        self._mark("")
        self._cpu[collector.name] = run.cpu_ms
        if run.why:
            self._strike(collector.name, run.why, run.cpu_ms)
            return {}
        self._note(collector.name, Strikes(cpu_ms=run.cpu_ms))
        return values

    def _strike(self, name: str, why: str, cpu_ms: int) -> None:
        count = self._memory.collectors.get(name, Strikes()).count + 1
        rest = REST if count >= STRIKES else 0
        self._note(name, Strikes(0 if rest else count, rest, cpu_ms, why[:200]))

    def _note(self, name: str, strikes: Strikes) -> None:
        self._memory = replace(self._memory, collectors={**self._memory.collectors, name: strikes})

    def _blame_the_dead(self) -> None:
        """Whoever was running when a run ended without an end is given a strike, durably, before it runs
        again.
        """
        try:
            with open(self._running, encoding="ascii") as file:
                name = file.read(64)
        except (OSError, ValueError):
            return
        if any(one.name == name for one in collectors()):
            self._strike(name, "the worker ended while it ran", 0)
            self._file.write(self._memory)
        self._mark("")

    def _mark(self, name: str) -> None:
        """Note who runs now. Not synced: this is about a crash of ours, not of the machine."""
        with open(self._running, "w", encoding="ascii") as file:
            file.write(name)


class _Run:
    """One collector in a thread of its own, so that one that hangs can be left behind: the worker ends
    soon.
    """

    def __init__(self, collector: Collector, seen: Seen) -> None:
        self._collector = collector
        self._seen = seen
        self._found: Mapping[str, Value] = {}
        self.why = ""
        self.cpu_ms = 0

    def values(self) -> Mapping[str, Value]:
        """What it gives; ``why`` says what is wrong with it, if anything is."""
        thread = threading.Thread(target=self._collect, name=self._collector.name, daemon=True)
        thread.start()
        thread.join(SECONDS)
        if thread.is_alive():
            self.why = f"it took more than {SECONDS:g} s"
        elif not self.why and self.cpu_ms > CPU_MS:
            self.why = f"it burned {self.cpu_ms} ms of CPU"
        return {} if self.why else dict(self._found)

    def _collect(self) -> None:
        began = time.thread_time()
        try:
            self._found = self._collector.collect(self._seen)
        except Exception as problem:
            self.why = f"{type(problem).__name__}: {problem}"
        self.cpu_ms = round((time.thread_time() - began) * 1000)
