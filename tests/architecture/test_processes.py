"""Only agent/host starts programs, nobody uses a shell, only its clocks read the wall clock."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import AGENT, agent_files, name_of, references

STARTS_PROGRAMS = re.compile(
    r"""(subprocess|_posixsubprocess|multiprocessing|pty|pexpect|sh|plumbum)(\.|$)
    | concurrent\.futures\.(process|ProcessPoolExecutor)
    | (os|posix)\.(exec\w+|spawn\w+|posix_spawnp?|fork|forkpty|system|popen|startfile)$
    | asyncio\.(subprocess\.)?create_subprocess_\w+
    """,
    re.VERBOSE,
)
READS_WALL_CLOCK = re.compile(
    r"time\.(time|time_ns|localtime|gmtime|ctime)$|datetime\.(datetime|date)\.(now|utcnow|today)$"
)


def uses(pattern: re.Pattern[str], source: str) -> list[str]:
    """``line: name`` of every reference in Python ``source`` that ``pattern`` matches."""
    return sorted({f"{line}: {name}" for line, name in references(source) if pattern.match(name)})


def offenders(pattern: re.Pattern[str], allowed: list[Path]) -> list[str]:
    """Every use of ``pattern`` in the agent outside the ``allowed`` files."""
    return [
        f"{name_of(path)}:{use}"
        for path in agent_files()
        if path not in allowed
        for use in uses(pattern, path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "from subprocess import run",
        "import os as o\no.execv('/bin/sh', [])",
        "from os import posix_spawn",
        "import os\npid = os.fork()",
        "import os.path\nos.system('true')",
        "import asyncio\nasyncio.create_subprocess_exec('true')",
        "from concurrent.futures import ProcessPoolExecutor",
        "import multiprocessing.pool",
        "def late():\n    from pty import spawn",
    ],
)
def test_starting_a_program_is_noticed(source: str) -> None:
    assert uses(STARTS_PROGRAMS, source)


def test_what_only_looks_like_it_is_left_alone() -> None:
    assert not uses(
        STARTS_PROGRAMS, "import os, shlex, asyncio\nos.path.join('fork')\nos.kill(1, 0)\nasyncio.run(x)"
    )


def test_only_the_host_starts_programs_and_the_sandbox_never() -> None:
    host = [path for path in (AGENT / "host").rglob("*.py") if "sandbox" not in path.relative_to(AGENT).parts]
    assert not offenders(STARTS_PROGRAMS, host)


@pytest.mark.parametrize(
    "source", ["import time\ntime.time()", "from datetime import datetime as d\nd.now()"]
)
def test_reading_the_wall_clock_is_noticed(source: str) -> None:
    assert uses(READS_WALL_CLOCK, source)
    assert not uses(
        READS_WALL_CLOCK, "import time\ntime.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME)"
    )


def test_only_the_hosts_clocks_read_the_wall_clock() -> None:
    """A laptop's clock is wrong by years after a flat battery: everyone else takes trusted time."""
    clocks = [*(AGENT / "host").rglob("clock.py"), *(AGENT / "host").rglob("*_clock.py")]
    assert not offenders(READS_WALL_CLOCK, clocks)


def shells(source: str) -> list[int]:
    """Lines of the calls that ask for a shell, or might (``shell=`` anything but False)."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "shell"
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
    ]


@pytest.mark.parametrize("value", ["True", "1", "asked"])
def test_a_shell_is_noticed(value: str) -> None:
    assert shells(f"run('true', shell={value})") == [1]
    assert shells("run(['true'], shell=False)") == []


def test_no_call_asks_for_a_shell() -> None:
    tests = sorted((AGENT.parent / "tests").rglob("*.py"))
    files = [*agent_files(), *tests]
    assert not [
        f"{name_of(path)}:{line}" for path in files for line in shells(path.read_text(encoding="utf-8"))
    ]
