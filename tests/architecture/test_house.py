"""Rooms stay small, are named for what they hold, and each has its tests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import AGENT, agent_files, name_of
from tests.leaks import REPOSITORY

TESTS = REPOSITORY / "tests"
LONGEST = 400
NAMES_THAT_PROMISE_NOTHING = frozenset(
    {"utils", "util", "helpers", "helper", "common", "misc", "shared", "stuff"}
)


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {name_of(path): path.read_bytes().count(b"\n") for path in agent_files()}
    assert lengths, "there is code to measure"
    too_long = {name: lines for name, lines in lengths.items() if lines > LONGEST}
    assert not too_long, "each holds more than one problem: which?"


def says_nothing(path: Path) -> bool:
    """Whether a file's name says nothing about what is in it."""
    return any(part in NAMES_THAT_PROMISE_NOTHING for part in path.stem.strip("_").split("_"))


@pytest.mark.parametrize("name", ["utils.py", "file_helpers.py", "_misc.py"])
def test_a_name_that_promises_nothing_is_noticed(name: str) -> None:
    assert says_nothing(Path(name))
    assert not says_nothing(Path("ledger.py"))


def test_every_module_and_package_is_named_for_what_it_holds() -> None:
    nameless = [
        name_of(path)
        for path in AGENT.rglob("*")
        if path.is_dir() or path.suffix == ".py"
        if says_nothing(path)
    ]
    assert not nameless, "a place that everybody may put things in is a place where nobody finds them"


def holds_code(path: Path) -> bool:
    """Whether a module or package does anything beyond its docstring and imports."""
    sources = path.rglob("*.py") if path.is_dir() else [path]
    quiet = ast.Expr | ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign
    return any(
        not isinstance(node, quiet)
        for source in sources
        for node in ast.parse(source.read_text(encoding="utf-8")).body
    )


def test_the_tests_mirror_the_agent() -> None:
    untested = []
    for part in sorted(AGENT.iterdir()):
        if not (part.is_dir() or part.suffix == ".py") or part.name.startswith("__") or not holds_code(part):
            continue
        beside = [TESTS / f"test_{part.stem}.py", *(TESTS / part.stem).rglob("test_*.py")]
        if not any(path.is_file() for path in beside):
            untested.append(f"agent/{part.name} has no tests in tests/{part.stem}/")
    assert not untested


def test_every_folder_of_tests_is_a_package() -> None:
    """Or two files of one name in different folders could not both be imported."""
    folders = {path.parent for path in TESTS.rglob("test_*.py")}
    assert TESTS / "architecture" in folders
    assert not [name_of(folder) for folder in folders if not (folder / "__init__.py").is_file()]
