"""No two files of the agent import each other, not even through others, late or for types only: what needs
whom can be drawn without a circle.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from tests.architecture.sources import AGENT, agent_files
from tests.leaks import REPOSITORY

Graph = Mapping[str, frozenset[str]]


def module_of(path: Path) -> str:
    name = path.relative_to(REPOSITORY).with_suffix("").as_posix().replace("/", ".")
    return name.removesuffix(".__init__")


def imported(source: str, known: frozenset[str]) -> frozenset[str]:
    """The modules among ``known`` that ``source`` imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return frozenset(found & known)


def circles(graph: Graph) -> list[frozenset[str]]:
    """Sets of modules that reach each other."""
    reach: dict[str, frozenset[str]] = {}
    for start in graph:
        seen: set[str] = set()
        todo = list(graph[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += graph[name]
        reach[start] = frozenset(seen)
    return sorted(
        {frozenset(b for b in reach[a] if a in reach[b]) for a in graph if a in reach[a]}, key=sorted
    )


def test_a_circle_is_noticed_however_it_is_imported() -> None:
    known = frozenset(("a", "b", "c", "d"))
    graph = {
        "a": imported("import b", known),
        "b": imported("if TYPE_CHECKING:\n    from c import C", known),
        "c": imported("def late():\n    from a import A", known),
        "d": imported("import a", known),
    }
    assert circles(graph) == [frozenset(("a", "b", "c"))]


def test_no_two_files_import_each_other() -> None:
    files = {module_of(path): path for path in agent_files()}
    known = frozenset(files)
    graph = {name: imported(path.read_text(encoding="utf-8"), known) for name, path in files.items()}
    assert sum(map(len, graph.values())) > len(graph), "imports are seen"
    assert AGENT.name in known
    assert not [" ↔ ".join(sorted(circle)) for circle in circles(graph)]
