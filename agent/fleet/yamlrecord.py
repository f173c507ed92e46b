"""A YAML file of IT's folder as a record: the strict policy loader, then the strict schema, errors with
line and column."""

from __future__ import annotations

import re
from typing import TypeVar

from agent.core import schema
from agent.core.errors import BookbagError
from agent.policy.syntax import nodes, yamltext

T = TypeVar("T")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def load(data: bytes, file: str, cls: type[T]) -> T:
    """``data`` as a ``cls``. Raises BookbagError ``bad-yaml``, ``too-large`` or ``format-too-new`` at
    ``file:line:column``."""
    node = yamltext.load(data, file)
    try:
        return schema.decode(cls, plain(node), what=file, code="bad-yaml")
    except BookbagError as error:
        path = error.place.removeprefix(file).removeprefix(": ")
        place = str(_find(node, path))
        message = f"{error.message} (at {path})" if path else error.message
        raise BookbagError(error.code, message, place=place, remedy=error.remedy) from None


def plain(node: nodes.Node) -> object:
    """The values of a node without their places."""
    match node:
        case nodes.Mapping():
            return {key: plain(item) for key, _, item in node.pairs()}
        case nodes.Sequence():
            return [plain(item) for item in node.items]
        case nodes.Scalar():
            return node.value


def _find(node: nodes.Node, path: str) -> nodes.Place:
    """Where ``path`` (``people[2].keys[0]``) stands; the nearest thing around it if it does not exist."""
    place = node.place
    for match in _STEP.finditer(path):
        index, key = match.groups()
        if index is not None and isinstance(node, nodes.Sequence) and int(index) < len(node.items):
            node = node.items[int(index)]
            place = node.place
        elif key is not None and isinstance(node, nodes.Mapping):
            entry = next(((at, item) for name, at, item in node.pairs() if name == key), None)
            if entry is None:
                break
            place, node = entry
        else:
            break
    return place
