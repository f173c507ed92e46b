"""The repository's files and what Python source refers to, for the rules beside this file."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.leaks import REPOSITORY, files

AGENT = REPOSITORY / "agent"


def agent_files() -> list[Path]:
    """Every Python file of the agent."""
    return sorted(AGENT.rglob("*.py"))


def repository_files() -> list[Path]:
    """Every file of the repository but those that tools make."""
    return sorted(path for path in (REPOSITORY / name for name in files()) if path.is_file())


def name_of(path: Path) -> str:
    """How messages name a file."""
    return path.relative_to(REPOSITORY).as_posix()


def references(source: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported or reached through an import.

    ``o.fork`` after ``import os as o`` is ``os.fork``.
    """
    tree = ast.parse(source)
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        for name, bound in _imported(node):
            known[bound] = name
            yield node.lineno, name  # type: ignore[attr-defined]  # import nodes have lines
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted = _dotted(node)
            head, _, rest = dotted.partition(".")
            if head in known:
                yield node.lineno, f"{known[head]}.{rest}"


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """(what, the name it is bound to) for each name of an import statement."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield alias.name, alias.asname
            else:
                yield alias.name, alias.name
                top = alias.name.partition(".")[0]
                yield top, top
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            yield f"{node.module}.{alias.name}", alias.asname or alias.name


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
