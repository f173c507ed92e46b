"""The three experiments: power cut after, SIGKILL before, and failure of every call that changes the
directory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.powercut import disk, strace
from tests.powercut.recorder import Recorder, Step

#: How often a fault may miss: under load a program now and then makes one call more or fewer.
ATTEMPTS = 4
Start = Callable[[Path], object] | Path | None
EVERY = 1 << 30  #: points of a program: all of them
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tally:
    """What was tried, all of it survived."""

    points: int  #: prefixes of the history, or calls killed or failed
    states: int  #: different directories that were checked
    by: dict[str, int] = field(default_factory=dict)  #: per model, or per system call

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {count}" for name, count in sorted(self.by.items()))
        return f"{self.points} points, {self.states} states survived ({parts})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended that met a failing call."""

    said: str
    code: int
    errors: str


def say(words: str) -> None:
    """Acknowledge, from inside a program: from here on what was acknowledged must survive."""
    os.write(1, f"{words}\n".encode())


def every_prefix(
    program: strace.Program,
    start: Start,
    check: Callable[[Path, str], object],
    *,
    models: Sequence[disk.Model] = disk.MODELS,
    most: int = EVERY,
) -> Tally:
    """Record ``program``; for each prefix of its history and each model lay out what a disk may hold, and
    ``check`` it.

    Raises AssertionError naming the prefix, the model and the last steps where ``check`` raises. The same
    directory with the same words said is checked once. ``most``: of the prefixes, evenly spread.
    """
    strace.require()
    with _workshop() as workshop:
        directory = _prepare(start, workshop / "disk")
        recorder, run = _record(program, directory, workshop)
        if run.code != 0:
            raise AssertionError(f"the program itself failed ({run.code}): {run.errors}")
        seen: set[object] = set()
        by: Counter[str] = Counter()
        lengths = _sample(range(len(recorder.steps) + 1), most)
        for length, fates, model in _fates(recorder.steps, models, lengths):
            history = [step.change for step in recorder.steps[:length]]
            found = disk.tree(recorder.root, history, fates)
            said = b"".join(change.words for change in history if isinstance(change, disk.Said)).decode()
            key = (tuple(sorted(found.items())), said)
            if key in seen:
                continue
            seen.add(key)
            by[model] += 1
            place = workshop / f"cut-{len(seen)}"
            disk.lay_out(found, place)
            with _explained(
                f"power cut after step {length} of {len(recorder.steps)}, model {model}", recorder, length
            ):
                check(place, said)
            shutil.rmtree(place)
    return Tally(len(lengths), len(seen), dict(by))


def kill_at_every(
    program: strace.Program, start: Start, check: Callable[[Path, str], object], *, most: int = EVERY
) -> Tally:
    """Run ``program`` once for each of its calls that changes the directory or speaks (``most`` of them,
    evenly spread), killed just before that call."""
    strace.require()
    by: Counter[str] = Counter()
    with _workshop() as workshop:
        for step, place, run in _injected(program, start, workshop, "signal=KILL", _killable, most):
            by[step.call.name] += 1
            with _explained(f"SIGKILL before {step.change.what}, {_nth(step.call)}"):
                check(place, run.said.decode())
    return Tally(sum(by.values()), sum(by.values()), dict(by))


def fail_at_every(
    program: strace.Program,
    start: Start,
    check: Callable[[Path, Outcome], object],
    *,
    error: str = "ENOSPC",
    calls: Sequence[str] = (),
    most: int = EVERY,
) -> Tally:
    """Run ``program`` once for each such call (only those named in ``calls``, if any; ``most`` of them,
    evenly spread), which fails with ``error``."""
    strace.require()
    by: Counter[str] = Counter()

    def chosen(step: Step) -> bool:
        if isinstance(step.change, disk.Said):
            return False
        return step.call.name in calls if calls else not isinstance(step.change, disk.Attribute)

    with _workshop() as workshop:
        for step, place, run in _injected(program, start, workshop, f"error={error}", chosen, most):
            by[step.call.name] += 1
            with _explained(f"{error} at {step.change.what}, {_nth(step.call)}"):
                check(place, Outcome(run.said.decode(), run.code, run.errors))
    return Tally(sum(by.values()), sum(by.values()), dict(by))


def _killable(step: Step) -> bool:
    # Before an fsync the directory is as before the call after it. An open is one of hundreds at start-up,
    # and before it the directory is as after the step that precedes it.
    opens = ("open", "openat", "openat2", "creat")
    return not isinstance(step.change, disk.Sync) and step.call.name not in opens


def _sample(whole: Sequence[T], most: int) -> Sequence[T]:
    """At most so many of them, evenly spread."""
    return whole[:: -(-len(whole) // most) or 1]


def _fates(
    steps: Sequence[Step], models: Sequence[disk.Model], lengths: Iterable[int]
) -> Iterator[tuple[int, dict[int, str], str]]:
    """(prefix length, fate of every change in it, model), for each prefix of one of these ``lengths``."""
    for length in lengths:
        history = [step.change for step in steps[:length]]
        pending = disk.pending(history)
        loose = set(pending)
        durable = {i: "whole" for i in range(length) if i not in loose}
        unsynced = [history[i] for i in pending]
        for model in models:
            for fate in model(unsynced):
                yield length, {**durable, **{pending[i]: how for i, how in fate.items()}}, model.__name__


def _injected(
    program: strace.Program,
    start: Start,
    workshop: Path,
    fault: str,
    wanted: Callable[[Step], bool],
    most: int,
) -> Iterator[tuple[Step, Path, strace.Run]]:
    recorder, run = _record(program, _prepare(start, workshop / "disk"), workshop)
    if run.code != 0:
        raise AssertionError(f"the program itself failed ({run.code}): {run.errors}")
    points = {(step.call.name, step.call.ordinal): step for step in recorder.steps if wanted(step)}
    if len({step.call.pid for step in points.values()}) > 1:
        raise strace.Unrecordable("faults are injected into programs of one process only")
    shutil.rmtree(workshop / "disk")
    for step in _sample(tuple(points.values()), most):
        # The same place each time, so that even the lengths of paths agree with the recording.
        place = workshop / "disk"
        yield step, place, _aimed(program, start, place, workshop / "log", fault, step)
        shutil.rmtree(place)


def _aimed(
    program: strace.Program, start: Start, place: Path, log: Path, fault: str, step: Step
) -> strace.Run:
    """A run in which ``step`` met the fault; what it left is at ``place``."""
    hit: strace.Call | None = None
    for _ in range(ATTEMPTS):
        _prepare(start, place)
        aim = (step.call.name, f"{fault}:when={step.call.ordinal}")
        run = strace.run(program, place, log, inject=aim)
        if _met(fault, step, run):
            return run
        hit = next((call for call in run.calls if call.injected), None)
        shutil.rmtree(place)
    raise AssertionError(f"the fault missed {step.change.what}: {_nth(step.call)} was {hit or 'never made'}")


def _nth(call: strace.Call) -> str:
    return f"call {call.ordinal} of {call.name}"


def _met(fault: str, step: Step, run: strace.Run) -> bool:
    """Whether the fault was met where it was aimed at."""
    if "signal" in fault:
        return run.code < 0 or run.code > 128
    return any(call.injected and _alike(call, step.call) for call in run.calls)


def _alike(one: strace.Call, other: strace.Call) -> bool:
    """Whether these are one call in two runs, though temporary names, ids and descriptors in it differ: texts
    of one length, and the same flags.
    """

    def similar(mine: str, theirs: str) -> bool:
        texts = mine.startswith('"') and theirs.startswith('"')
        return mine == theirs or (mine.isdigit() and theirs.isdigit()) or (texts and len(mine) == len(theirs))

    return (
        one.name == other.name
        and len(one.args) == len(other.args)
        and all(map(similar, one.args, other.args))
    )


def _record(program: strace.Program, directory: Path, workshop: Path) -> tuple[Recorder, strace.Run]:
    recorder = Recorder(directory, strace.REPOSITORY)
    run = strace.run(program, directory, workshop / "log")
    recorder.take(run.calls)
    return recorder, run


def _prepare(start: Start, place: Path) -> Path:
    if isinstance(start, Path):
        shutil.copytree(start, place, symlinks=True)
    else:
        place.mkdir()
        if start is not None:
            start(place)
    return place


@contextmanager
def _workshop() -> Iterator[Path]:
    """A scratch directory, in memory where there is such a place: thousands of small directories are laid
    out."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bookbag-powercut-", dir=memory) as name:
        yield Path(os.path.realpath(name))


@contextmanager
def _explained(where: str, recorder: Recorder | None = None, length: int = 0) -> Iterator[None]:
    try:
        yield
    except Exception as problem:
        steps = recorder.steps[max(0, length - 8) : length] if recorder else []
        last = "".join(f"\n  {step.change.what}" for step in steps)
        raise AssertionError(
            f"{where}: {type(problem).__name__}: {problem}{last and f'{chr(10)}last steps:{last}'}"
        ) from problem
