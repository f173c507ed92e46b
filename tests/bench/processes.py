"""What a whole process costs, from exec to exit, as the kernel accounts it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.leaks import REPOSITORY

FLOORS = Path(__file__).with_name("floors")
BARE = (sys.executable, "-I", "-S")  #: the interpreter with nothing of ours and no site-packages
BOOKBAG = str(Path(sys.executable).with_name("bookbag"))


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock and processor, context switches; exit code and standard output."""

    wall: float
    cpu: float
    switches: int
    code: int
    out: bytes


def run(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    codes: tuple[int, ...] = (0,),
) -> Cost:
    """Run a program to its end. Its streams are files, so that nobody has to wait for anybody.

    Raises RuntimeError with its last words for an exit code not in ``codes``.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(stdin)
        given.seek(0)
        began = time.perf_counter()
        process = subprocess.Popen(
            argv, stdin=given, stdout=out, stderr=err, cwd=REPOSITORY, env=None if env is None else dict(env)
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said = out.read()
        if process.returncode not in codes:
            words = (said + err.read()).decode("utf-8", "replace").strip()[-500:]
            raise RuntimeError(f"{' '.join(argv)[:200]} ended with {process.returncode}: {words}")
    cpu = used.ru_utime + used.ru_stime
    return Cost(wall, cpu, used.ru_nvcsw + used.ru_nivcsw, process.returncode, said)


def in_turns(rounds: int, *things: Callable[[], Cost]) -> tuple[list[Cost], ...]:
    """Run the things A B A B …, so that all are disturbed alike; one round to warm up."""
    for thing in things:
        thing()
    found: tuple[list[Cost], ...] = tuple([] for _ in things)
    for _ in range(rounds):
        for thing, costs in zip(things, found, strict=True):
            costs.append(thing())
    return found


@contextlib.contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Kill the process when the block ends."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
