"""`python -m tests.bench`: measure everything against its budget. Exit 4 when a row is over or missing."""

from __future__ import annotations

import argparse
import compileall
import datetime
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import table
from tests.bench.measures import (
    apply,
    audit,
    content,
    decide,
    drift,
    fleet,
    load,
    orders,
    portal,
    resident,
    sync,
    telemetry,
)
from tests.bench.rows import Bench, Row, Verdict, run
from tests.bench.world import World
from tests.leaks import REPOSITORY

BENCHES: tuple[Bench, ...] = (
    resident.BENCH,
    drift.BENCH,
    audit.BENCH,
    apply.BENCH,
    load.BENCH,
    decide.BENCH,
    sync.BENCH,
    portal.BENCH,
    content.BENCH,
    telemetry.BENCH,
    orders.BENCH,
    fleet.BENCH,
)
FAILED, USAGE = 4, 64
PAGE = REPOSITORY / "docs" / "performance.md"


def main(words: Sequence[str] | None = None, benches: Sequence[Bench] = BENCHES) -> int:
    """Measure and print; returns the exit code."""
    args = _arguments(words)
    chosen = _chosen(benches, args.only)
    if chosen is None:
        names = ", ".join(f"{one.name} ({', '.join(p.name for p in one.promises)})" for one in benches)
        print(f"cannot measure {', '.join(args.only)}: there are {names}", file=sys.stderr)
        return USAGE
    # An installed agent has its bytecode; a fresh clone in which none is written would be measured compiling.
    compileall.compile_dir(REPOSITORY / "agent", quiet=1)
    rows: list[Row] = []
    began, load_before = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bookbag-bench-", dir=args.folder) as folder:
        with World(Path(folder), quick=args.quick) as world:
            for bench in chosen:
                print(f"measuring {bench.name} …", file=sys.stderr, flush=True)
                rows += run(bench, world)
        where = _where(folder, time.monotonic() - began, load_before, quick=args.quick)
    if args.only:
        rows = [row for row in rows if _named(row, args.only, chosen)]
    print(table.text(rows), "", *where, sep="\n")
    if args.json:
        args.json.write_text(json.dumps(_plain(rows, where), indent=1, ensure_ascii=False) + "\n")
    if args.markdown:
        command = "python -m tests.bench --markdown" + (" --quick" if args.quick else "")
        PAGE.write_text(table.markdown(rows, where, command), encoding="utf-8")
    return 0 if all(row.verdict in (Verdict.OK, Verdict.FREE) for row in rows) else FAILED


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", default=[], help="a benchmark or a row")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and a shorter idle window")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write everything measured to FILE")
    parser.add_argument("--markdown", action="store_true", help=f"also write docs/{PAGE.name}")
    parser.add_argument(
        "--folder", metavar="DIR", default="/var/tmp", help="where to work: on a disk, not in memory"
    )
    return parser.parse_args(words)


def _chosen(benches: Sequence[Bench], only: Sequence[str]) -> list[Bench] | None:
    """The benchmarks that have one of the names; None if a name is nobody's."""
    names = {bench.name: {bench.name, *(one.name for one in bench.promises)} for bench in benches}
    if not set(only) <= set().union(*names.values()):
        return None
    return [bench for bench in benches if not only or names[bench.name] & set(only)]


def _named(row: Row, only: Sequence[str], chosen: Sequence[Bench]) -> bool:
    whole = {one.name for bench in chosen if bench.name in only for one in bench.promises}
    return row.promise.name in only or row.promise.name in whole


def _where(folder: str, seconds: float, load_before: float, *, quick: bool) -> list[str]:
    """What the figures hold for: the day, the machine, and how busy it was."""
    now = datetime.datetime.now(datetime.UTC)
    load_after = os.getloadavg()[0]
    return [
        f"{now:%Y-%m-%d %H:%M} UTC, in {seconds:.0f} s" + (", in a hurry (--quick)" if quick else ""),
        f"{_cpu()}, {os.cpu_count()} cores, {_memory_gib()} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}, files on {_filesystem(folder)}",
        f"load average {load_before:.1f} before, {load_after:.1f} after: "
        + ("other work ran beside it" if load_before > 1 else "quiet"),
    ]


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _filesystem(folder: str) -> str:
    """The type of the file system that holds ``folder``."""
    found = ("", "unknown")
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, kind, *_ = line.split()
        if (folder == mount or folder.startswith(mount.rstrip("/") + "/")) and len(mount) >= len(found[0]):
            found = (mount, kind)
    return found[1]


def _plain(rows: Sequence[Row], where: Sequence[str]) -> dict[str, object]:
    """Everything measured, for programs."""
    return {
        "where": list(where),
        "rows": [
            {
                "name": row.promise.name,
                "what": row.promise.what,
                "unit": row.promise.unit,
                "budget": row.promise.budget and row.promise.budget.most,
                "times-peer": bool(row.promise.budget and row.promise.budget.times_peer),
                "verdict": str(row.verdict),
                "why": row.why,
                "value": row.measured and row.value(row.measured.ours),
                "samples": list(row.measured.ours.values) if row.measured else [],
                "peers": {name: list(one.values) for name, one in row.measured.peers.items()}
                if row.measured
                else {},
                "ratios": row.ratios(),
                "note": row.measured.note if row.measured else "",
            }
            for row in rows
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
