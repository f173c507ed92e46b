"""Strict YAML as plain Python values, for data files of tests: the same loader as policies, so cases
obey it too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.policy.syntax.nodes import Mapping, Node, Scalar, Sequence
from agent.policy.syntax.yamltext import load


def plain(node: Node) -> Any:
    """dict, list, str, int, bool or None."""
    match node:
        case Mapping():
            return {key: plain(child) for key, _, child in node.pairs()}
        case Sequence():
            return [plain(item) for item in node.items]
        case Scalar():
            return node.value


def read(path: Path) -> Any:
    """The one document in ``path``."""
    return plain(load(path.read_bytes(), str(path)))
