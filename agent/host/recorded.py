"""Files noted exactly, to be put back exactly: bytes, mode, owner, attributes, or that nothing was there,
down to directories that did not exist.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.errors import BookbagError
from agent.core.model import State
from agent.host.base import Files, Node
from agent.host.paths import parents

MAX_BYTES = 1 << 20  #: of one file; what is larger is not replaced either


def record(files: Files, *paths: str) -> State:
    """What is at ``paths`` now. Raises what `Files.read` raises."""
    above = {directory for path in paths for directory in parents(path)}
    return {
        "files": {path: state_of(files.read(path, limit=MAX_BYTES)) for path in sorted(paths)},
        "missing": tuple(sorted(directory for directory in above if files.read(directory) is None)),
    }


def put_back(files: Files, recorded: State) -> None:
    """Make `record` say ``recorded`` again; repeated, it changes nothing. Raises ``state-corrupt`` for what
    `record` never said, and what `Files.write` raises.
    """
    there, missing = recorded.get("files"), recorded.get("missing")
    if not isinstance(there, Mapping) or not isinstance(missing, (tuple, list)):
        raise _not_ours()
    for path, state in there.items():
        node = node_of(state)
        if files.read(str(path), limit=MAX_BYTES) == node:
            continue
        if node is None:
            files.remove(str(path))
        else:
            files.make_parents(str(path))
            files.write(str(path), node)
    files.remove_empty([str(directory) for directory in missing])


def is_as(now: State, recorded: State) -> bool:
    """Whether ``now`` is ``recorded`` again. More directories may be missing than then (others made them
    since, and took them away), and more ways in may be open; of what else runs (``standing``) nothing is
    asked: a service that others took away since will never run again.
    """
    for name in ("missing", "ways"):
        if not set(_texts(recorded.get(name))) <= set(_texts(now.get(name))):
            return False
    loose = ("missing", "ways", "standing")
    return {key: value for key, value in now.items() if key not in loose} == {
        key: value for key, value in recorded.items() if key not in loose
    }


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (tuple, list)) else ()


def state_of(node: Node | None) -> State | None:
    """A node as plain Values; None if nothing is there."""
    if node is None:
        return None
    return {
        "kind": node.kind,
        "content": node.content,
        "mode": node.mode,
        "owner": node.owner,
        "group": node.group,
        "xattrs": dict(node.xattrs),
    }


def node_of(state: object) -> Node | None:
    """The inverse of `state_of`. Raises ``state-corrupt`` for anything else."""
    if state is None:
        return None
    if not isinstance(state, Mapping):
        raise _not_ours()
    kind, content, mode = state.get("kind"), state.get("content"), state.get("mode")
    xattrs = state.get("xattrs", {})
    if not (isinstance(kind, str) and isinstance(content, bytes) and isinstance(mode, int)):
        raise _not_ours()
    if not isinstance(xattrs, Mapping) or not all(isinstance(value, bytes) for value in xattrs.values()):
        raise _not_ours()
    named = tuple(sorted((str(name), bytes(value)) for name, value in xattrs.items()))
    return Node(kind, mode, str(state.get("owner")), str(state.get("group")), content, named)


def _not_ours() -> BookbagError:
    return BookbagError("state-corrupt", "cannot put files back: that is no record of files")
