"""docs/errors.md is the registry of codes; every code is used, and nobody uses one that is not registered.

A code travels under one name: whatever function, method or dataclass takes a parameter or field called
``code`` is found in the source, and so are the texts that its callers pass there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from agent.core import exit_codes
from agent.core.errors import CODES
from agent.core.errors_page import page
from tests.architecture.sources import AGENT, agent_files, name_of
from tests.leaks import REPOSITORY


def test_the_page_is_up_to_date() -> None:
    said = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    assert said == page(), "run: python -m agent.core.errors_page > docs/errors.md"


def test_the_page_names_every_exit_code() -> None:
    numbers = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert numbers and all(f"\n| {number} | " in page() for number in numbers)


def takers(trees: Iterable[ast.AST]) -> dict[str, set[int]]:
    """Who takes a code: name → at which positions of a call."""
    found: dict[str, set[int]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = [one.target for one in node.body if isinstance(one, ast.AnnAssign)]
                names = [one.id for one in fields if isinstance(one, ast.Name)]
                if "code" in names:
                    found.setdefault(node.name, set()).add(names.index("code"))
                for one in node.body:
                    if isinstance(one, ast.FunctionDef):
                        _function(one, node.name, found)
            elif isinstance(node, ast.FunctionDef):
                _function(node, "", found)
    return found


def _function(node: ast.FunctionDef, class_name: str, found: dict[str, set[int]]) -> None:
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    if "code" not in (*names, *(one.arg for one in node.args.kwonlyargs)):
        return
    bound = names[1:] if names[:1] in (["self"], ["cls"]) else names
    called = class_name if node.name == "__init__" else node.name
    found.setdefault(called, set()).update({bound.index("code")} if "code" in bound else ())


def passed(tree: ast.AST, takes: dict[str, set[int]]) -> Iterator[tuple[int, str]]:
    """(line, text) of every text that is passed on as a code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            places = takes.get(name, set()) if name in takes else set()
            for value in (one for at, one in enumerate(node.args) if at in places):
                yield from texts(value)
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from texts(keyword.value)
        elif isinstance(node, ast.Assign) and any(_is_code(target) for target in node.targets):
            yield from texts(node.value)
        elif isinstance(node, ast.Dict) and any(_is_errno(key) for key in node.keys):
            for value in node.values:
                yield from texts(value.elts[0] if isinstance(value, ast.Tuple) else value)


def texts(value: ast.expr) -> Iterator[tuple[int, str]]:
    """The texts that an expression may be."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.lineno, value.value
    elif isinstance(value, ast.IfExp):
        yield from texts(value.body)
        yield from texts(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for one in value.values:
            yield from texts(one)
    elif isinstance(value, ast.Tuple) and value.elts:  # code, message = "…", "…"
        yield from texts(value.elts[0])


def _is_code(target: ast.expr) -> bool:
    first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
    return getattr(first, "id", getattr(first, "attr", "")) == "code"


def _is_errno(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Attribute) and getattr(key.value, "id", "") == "errno"


def used_codes() -> list[tuple[Path, int, str]]:
    """Every use of a code in the agent."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in agent_files()}
    takes = takers(trees.values())
    return [(path, *one) for path, tree in trees.items() for one in passed(tree, takes)]


@pytest.mark.parametrize(
    "source",
    [
        "raise BookbagError('made-up', 'cannot go on')",
        "def refuse(what, code): pass\nrefuse(1, 'made-up')",
        "class A:\n  def refuse(self, what, code=''): pass\na.refuse(1, code=b or 'made-up')",
        "class Refusal:\n  what: str\n  code: str\nRefusal('x', 'expired' if y else 'made-up')",
        "code = 'made-up' if x else 'expired'",
        "T = {errno.EIO: ('made-up', 'why')}",
    ],
)
def test_an_unregistered_code_is_noticed(source: str) -> None:
    tree = ast.parse(source)
    takes = takers([tree, ast.parse((AGENT / "core" / "errors.py").read_text(encoding="utf-8"))])
    assert "made-up" in {text for _, text in passed(tree, takes)}
    assert "made-up" not in CODES


def test_every_code_that_is_used_is_registered() -> None:
    wrong = [f"{name_of(path)}:{line}: {text}" for path, line, text in used_codes() if text not in CODES]
    assert not wrong


def test_every_registered_code_is_used() -> None:
    used = {text for path, _, text in used_codes() if path.name != "errors.py"}
    assert not set(CODES) - used, "a code that nobody can meet has no place in the documents"
