"""The enforce worker's ``refresh`` as a program for `tests.powercut`, and a look at the laptop after it.

Light on purpose: each of hundreds of child processes imports this module.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.daemon import worker

Event = dict[str, Any]
#: What one finds at a laptop path: kind, permissions and content.
Found = Mapping[str, tuple[str, int, bytes]]
#: Not of the laptop, but of the agent or of the sandbox.
NOT_THE_LAPTOPS = frozenset(("etc/bookbag", "var", "run", ".sandbox"))


def refresh(directory: Path) -> None:
    """One refresh of the laptop in ``directory``/laptop, exactly as its supervisor would start it.

    Temporary files go to ``directory``/tmp, so that faults meet those as well. No time goes by: how often
    progress is told would depend on the machine's load, and faults are aimed at the n-th write.
    """
    _prepare(directory)
    _begin(directory, "enforce", "refresh")


def hand_over(directory: Path) -> None:
    """The same, and then the command worker takes down the orders that the word brought."""
    _prepare(directory)
    out = os.dup(1)
    _begin(directory, "enforce", "refresh")
    os.dup2(out, 1)
    _begin(directory, "command", "obey")


def _prepare(directory: Path) -> None:
    tempfile.tempdir = str(directory / "tmp")
    time.monotonic = lambda: 0.0


def _begin(directory: Path, name: str, op: str) -> int:
    request = json.dumps({"op": op}).encode() + b"\n"
    read, write = os.pipe()
    os.write(write, request)
    os.close(write)
    os.dup2(read, 0)
    return worker.main(name, str(directory / "laptop"))


def run(directory: Path, op: str, name: str = "enforce") -> list[Event]:
    """The events of one run of the worker ``name`` with ``op``, in a process of its own, nothing failing."""
    with tempfile.TemporaryFile() as heard, tempfile.TemporaryFile() as errors:
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                os.dup2(heard.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                code = _begin(directory, name, op)
            except BaseException:
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(code)
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        heard.seek(0)
        errors.seek(0)
        said = events(heard.read().decode())
        trouble = errors.read().decode()
    assert said and said[-1]["event"] == "exit" and ended == said[-1]["code"], f"{said}: {trouble}"
    return said


def events(said: str) -> list[Event]:
    """What a worker said, a torn last line left out."""
    return [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith("\n")]


def of(said: list[Event], kind: str) -> list[Event]:
    """The events of one kind."""
    return [event for event in said if event["event"] == kind]


def laptop_files(directory: Path) -> Found:
    """Every file and folder of the laptop itself."""
    root = directory / "laptop"
    found: dict[str, tuple[str, int, bytes]] = {}

    def look(folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            name = str(path.relative_to(root))
            if name in NOT_THE_LAPTOPS:
                continue
            mode = path.lstat().st_mode & 0o7777
            if path.is_symlink():
                found[f"/{name}"] = ("symlink", mode, os.fsencode(os.readlink(path)))
            elif path.is_dir():
                found[f"/{name}"] = ("directory", mode, b"")
                look(path)
            else:
                found[f"/{name}"] = ("file", mode, path.read_bytes())

    look(root)
    return found


def without_leftovers(found: Found) -> Found:
    """Without temporary files of a write that was cut, which the next write into their folder clears away."""
    return {path: what for path, what in found.items() if not path.rpartition("/")[2].startswith(".bookbag-")}
