"""docs/threats.md: every test that it names exists, and no section promises without naming one."""

from __future__ import annotations

import ast
import re
from functools import cache

from tests.leaks import REPOSITORY, files

PAGE = (REPOSITORY / "docs" / "threats.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
#: The attackers of the threat table that this page answers; one section each.
ATTACKERS = (
    "A thief",
    "A student, without",
    "A student with",
    "Whoever takes over the host",
    "Somebody on the line",
    "Whoever stole one person's key",
    "A teacher",
    "A found stick",
    "A malicious document",
    "An insider",
    "The vendor",
    "Nature",
)


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the tests in a file of the repository; none, if there is no such file."""
    if path not in set(files()) or not (REPOSITORY / path).is_file():
        return frozenset()
    tree = ast.parse((REPOSITORY / path).read_text(encoding="utf-8"))
    found = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    # a Hypothesis machine is a test by assignment: test_x = Machine.TestCase
    found += [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    return frozenset(name for name in found if name.startswith("test_"))


def missing(text: str) -> list[str]:
    """The tests named that are not there."""
    return [f"{path}::{name}" for path, name in NAMED.findall(text) if name not in names_in(path)]


def sections() -> dict[str, str]:
    """Title → text of each section."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_test_named_exists() -> None:
    assert len(NAMED.findall(PAGE)) > 50
    assert not missing(PAGE)


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert missing("`tests/docs/test_threats.py::test_nothing`") == [
        "tests/docs/test_threats.py::test_nothing"
    ]
    assert missing("`tests/docs/test_nowhere.py::test_x`")
    assert not missing("`tests/docs/test_threats.py::test_every_test_named_exists`")


def test_each_attacker_has_a_section() -> None:
    titles = list(sections())
    assert len(titles) == len(ATTACKERS)
    for attacker, title in zip(ATTACKERS, titles, strict=True):
        assert title.startswith(attacker)


def test_every_promise_names_a_test_and_every_section_its_limits() -> None:
    for title, text in sections().items():
        rows = [line for line in text.splitlines() if line.startswith("|")][2:]
        assert rows, title
        assert not [row for row in rows if not NAMED.search(row)], title
        assert "**Not stopped.**" in text, title


def test_laptop_tests_are_marked() -> None:
    """⌂ stands on every row that names a test which needs root and a lab."""
    for row in (line for line in PAGE.splitlines() if line.startswith("|") and NAMED.search(line)):
        in_lab = [path for path, _ in NAMED.findall(row) if "lab" in path]
        assert bool(in_lab) is ("⌂" in row), row
