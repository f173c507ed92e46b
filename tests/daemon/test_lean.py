"""What the resident process holds in memory, asked of a running one that watches as on a laptop (inotify)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.daemon.laptop import SandboxLaptop, until
from tests.leaks import REPOSITORY

HEAVY = (
    *(
        "argparse",
        "asyncio",
        "concurrent",
        "contextlib",
        "cryptography",
        "dataclasses",
        "datetime",
        "decimal",
    ),
    *("difflib", "email", "hashlib", "html", "http", "importlib.metadata", "inspect", "locale", "logging"),
    *("multiprocessing", "pathlib", "pickle", "psutil", "random", "requests", "securesystemslib", "shutil"),
    *("sqlite3", "ssl", "string", "subprocess", "tempfile", "textwrap", "threading", "tokenize", "traceback"),
    *("tuf", "typing", "urllib", "urllib3", "uuid", "watchdog", "yaml", "zipfile"),
    *(
        "agent.core.schema",
        "agent.core.model",
        "agent.host.base",
        "agent.policy",
        "agent.store",
        "agent.sync",
    ),
    *("agent.trust", "agent.cli.status", "agent.daemon.worker", "agent.daemon.workers"),
)
#: As `bookbag run` on a laptop does it, but for a folder: the sandbox's own watcher is the (heavy) watchdog.
AS_ON_A_LAPTOP = """
import sys
sys.path.insert(0, sys.argv[2])
from agent.core.layout import Layout
from agent.daemon import wiring
from agent.daemon.resident import supervise
from agent.host.linux.inotify import Inotify
layout = Layout(sys.argv[1])
wiring.prepare(layout)
sys.exit(supervise(layout, wiring.open_workers(layout), lambda: Inotify(layout.root)))
"""


@pytest.fixture
def lean(laptop: SandboxLaptop) -> Iterator[SandboxLaptop]:
    argv = [sys.executable, "-I", "-c", AS_ON_A_LAPTOP, str(laptop.folder), str(REPOSITORY)]
    with open(laptop.log, "wb") as log:
        laptop.process = subprocess.Popen(argv, stderr=log, cwd="/")
    until(laptop.answers)
    yield laptop
    assert laptop.stop() == 0


def heavy(modules: list[str]) -> list[str]:
    """Those of ``modules`` that the resident must not hold."""
    return [name for name in modules if any(name == one or name.startswith(f"{one}.") for one in HEAVY)]


def test_the_list_catches_what_it_names() -> None:
    assert heavy(["os", "yaml.reader", "agent.trust.keys", "typing"]) == [
        "yaml.reader",
        "agent.trust.keys",
        "typing",
    ]
    assert not heavy(["os", "json", "selectors", "agent.daemon.loop"])


def test_the_resident_imports_nothing_heavy(lean: SandboxLaptop) -> None:
    until(lambda: lean.status()["enforced_ago_s"] is not None)
    until(lambda: lean.status()["enrolment"] == "none")
    lean.client.call("explain", {"key": "x"})  # a failing worker, a bad request, a reload: error paths too
    lean.client.call("dance")
    lean.client.reload()
    assert lean.process is not None
    lean.process.send_signal(signal.SIGHUP)
    inside = lean.client.inside().result
    modules = inside["modules"]
    assert isinstance(modules, list)
    assert "agent.daemon.supervisor" in modules
    assert heavy(modules) == []
    memory = inside["memory_kib"]
    assert isinstance(memory, dict)
    # the budget of 13 MiB PSS is measured in the lab; this notices what grows long before
    assert memory["Anonymous"] < 8 << 10


def test_descriptors_do_not_pile_up(lean: SandboxLaptop) -> None:
    until(lambda: {"configure", "enforce"} <= lean.status()["workers"].keys())
    before = lean.client.inside().result["descriptors"]
    for _ in range(5):
        lean.client.plan()
        lean.client.status()
    until(lambda: lean.client.inside().result["descriptors"] == before)


@pytest.mark.skipif(os.environ.get("COVERAGE_PROCESS_START") is not None, reason="coverage itself is heavy")
def test_the_program_takes_the_lean_way_too(running: SandboxLaptop) -> None:
    """`bookbag run --root` starts without argparse; only the sandbox's watcher brings weight."""
    modules = running.client.inside().result["modules"]
    assert isinstance(modules, list)
    assert "argparse" not in modules
    assert not [name for name in heavy(modules) if name.startswith("agent.")]
