"""What runs after each event, and what waits for a student, loads nothing heavy that it can do without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("cryptography", "requests", "yaml", "tuf", "difflib", "uuid", "agent.trust.generation")
LOADS = "import sys; sys.path.append(sys.argv[1]); import {}; print(*sys.modules.keys() & {!r})"


def loaded(module: str) -> set[str]:
    argv = [sys.executable, "-I", "-c", LOADS.format(module, set(HEAVY)), str(REPOSITORY)]
    return set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("module", ["agent.daemon.operations", "agent.portal.serve"])
def test_heavy_things_are_loaded_by_who_needs_them(module: str) -> None:
    assert loaded("agent.daemon.taking") >= {"cryptography", "tuf"}, "the control: this one verifies"
    assert loaded(module) == set()
