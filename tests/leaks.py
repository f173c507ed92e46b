"""What a test could leave behind, by listing: threads, children, descriptors, files in the repository."""

from __future__ import annotations

import glob
import os
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
#: What tools make, wherever they make it; all of it is ignored by git too.
MADE = frozenset(
    {".git", ".venv", ".cache", "build", "dist", "__pycache__", ".hypothesis", ".idea", ".vscode"}
)


def threads() -> frozenset[threading.Thread]:
    """Every thread alive in this process."""
    return frozenset(threading.enumerate())


def children() -> dict[int, str]:
    """This process's children, pid → command line, unreaped ones included. Linux only; else empty."""
    pids: set[int] = set()
    for path in glob.glob("/proc/self/task/*/children"):
        pids.update(int(pid) for pid in _read(path).split())
    return {pid: _command(pid) for pid in pids}


def descriptors() -> int:
    """How many descriptors this process has open. Linux only; else 0."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


def files() -> frozenset[str]:
    """Every file and folder of the repository, relative, without what tools make."""
    found: set[str] = set()
    for folder, subfolders, names in os.walk(REPOSITORY):
        subfolders[:] = [name for name in subfolders if name not in MADE]
        prefix = os.path.relpath(folder, REPOSITORY)
        found.update(os.path.normpath(os.path.join(prefix, name)) for name in (*subfolders, *names))
    return frozenset(name for name in found if not os.path.basename(name).startswith(".coverage"))


def settle(before: tuple[frozenset[threading.Thread], frozenset[int]], *, within: float = 2.0) -> list[str]:
    """Names of the threads and children new since ``before`` and still there after ``within`` seconds."""
    until = time.monotonic() + within
    while True:
        late = [f"thread {thread.name}" for thread in threads() - before[0]]
        late += [f"child process {pid}: {what}" for pid, what in children().items() if pid not in before[1]]
        if not late or time.monotonic() >= until:
            return sorted(late)
        time.sleep(0.01)


def snapshot() -> tuple[frozenset[threading.Thread], frozenset[int]]:
    """What is there before a test, for `settle`."""
    return threads(), frozenset(children())


def _command(pid: int) -> str:
    line = _read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
    return line or f"{_read(f'/proc/{pid}/comm').strip()} (ended, never waited for)"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""  # it ended while we looked
