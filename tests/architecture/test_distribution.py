"""What is locked is what is asked for; what is built holds all that the agent reads."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import repository_files
from tests.leaks import REPOSITORY

RUNTIME = REPOSITORY / "installer/requirements.lock"
DEVELOPMENT = REPOSITORY / ".ci/requirements-dev.lock"
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def pins(lock: Path) -> dict[str, str]:
    """Name → version of everything in a lock file."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=lambda path: path.name)
def test_a_lock_holds_hashes_and_names_no_index(lock: Path) -> None:
    for entry in re.split(r"^(?=\S)", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name = entry.partition("==")[0]
        assert re.match(r"[a-z0-9._-]+==[0-9][0-9a-z.]*[ ;\\]", entry), f"{name}: a public release, pinned"
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"{name}: with its hashes"
        assert "://" not in entry, f"{name}: from wherever the reader's index is"


def test_the_locks_hold_what_the_project_asks_for() -> None:
    for lock, asked in (
        (RUNTIME, PROJECT["project"]["dependencies"]),
        (DEVELOPMENT, PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]),
    ):
        locked = pins(lock)
        for requirement in map(Requirement, asked):
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), (
                f"make lock: {requirement}"
            )


def test_what_is_tested_is_what_is_installed() -> None:
    assert pins(RUNTIME).items() <= pins(DEVELOPMENT).items()


@pytest.mark.parametrize("script", ["Makefile", "installer/bundle", "installer/install"])
def test_whoever_installs_a_lock_resolves_nothing(script: str) -> None:
    """pip that resolves takes `package[extra]` at its newest release, and then misses that one's hash."""
    joined = (REPOSITORY / script).read_text(encoding="utf-8").replace("\\\n", " ")
    commands = [line for line in joined.splitlines() if "--require-hashes" in line]
    assert commands and all("--no-deps" in line for line in commands)


@pytest.mark.slow
def test_the_wheel_holds_the_agent_and_the_policies(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("bookbag-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name and ".data/" not in name}
        stem = f"bookbag-{PROJECT['project']['version']}"
        scripts = archive.read(f"{stem}.dist-info/entry_points.txt").decode()
        own = archive.read(f"{stem}.data/scripts/bookbag").decode()
        mode = archive.getinfo(f"{stem}.data/scripts/bookbag").external_attr >> 16

    there = [path.relative_to(REPOSITORY).as_posix() for path in repository_files()]
    wanted = {name for name in there if name.startswith("agent/")}
    wanted |= {
        f"agent/_policies/{name.removeprefix('policies/')}" for name in there if name.startswith("policies/")
    }
    assert held == wanted
    assert own.startswith("#!python\n") and mode & 0o111, "pip makes it start with its own interpreter"
    assert "bookbag-fleet = agent.fleet.cli.main:program" in scripts
