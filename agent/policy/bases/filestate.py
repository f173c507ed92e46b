"""Files as states, for the kinds that end in files: exact bytes, mode, owner, group and attributes."""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.errors import BookbagError
from agent.core.model import State
from agent.host.base import Host
from agent.host.recorded import node_of, state_of

#: Labels that the kernel's security modules keep by themselves; they are neither drift nor ours to set.
_LABELS = frozenset(
    ("security.selinux", "security.ima", "security.evm", "security.apparmor", "security.SMACK64")
)
MODE = 0o644
DIRECTORY_MODE = 0o755  #: and of root: how those are made that a file needs
TOO_LARGE = "file too large to be read"
#: What no file can be written over without losing what nobody could put back.
_IN_THE_WAY = ("directory", TOO_LARGE)


def text_file(content: str, mode: int = MODE, owner: str = "root", group: str = "root") -> State:
    """The state of a regular file with this text."""
    return {
        "kind": "file",
        "content": content.encode(),
        "mode": mode,
        "owner": owner,
        "group": group,
        "xattrs": {},
    }


def directory(
    mode: int = DIRECTORY_MODE, owner: str = "root", group: str = "root", xattrs: object = None
) -> State:
    """The state of a directory. It has no ``kind``: what is in the way of files is in the way of no
    directory.
    """
    attributes = {"kind": "set of its own", "xattrs": xattrs} if xattrs else "none"
    return {"mode": f"{mode:04o}", "owner": owner, "group": group, "attributes": attributes}


def directory_at(host: Host, path: str) -> State | None:
    """As `directory`; what else is there is as `look` tells it."""
    seen = look(host, path)
    if seen is None or seen["kind"] != "directory":
        return seen
    return directory(int(str(seen["mode"])), str(seen["owner"]), str(seen["group"]), seen["xattrs"])


def put_directory(host: Host, path: str, state: State) -> None:
    """Make ``path`` be a directory as ``state`` says, parents included. Raises ``bad-path`` where something
    else is there.
    """
    attributes = state["attributes"]
    xattrs = attributes.get("xattrs", {}) if isinstance(attributes, Mapping) else {}
    dressed = {"kind": "directory", "content": b"", **state, "mode": int(str(state["mode"]), 8)}
    node = node_of({**dressed, "xattrs": xattrs})
    assert node is not None  # noqa: S101
    host.files.make_parents(path)
    host.files.make_directory(path, node)


def look(host: Host, path: str) -> State | None:
    """What is at ``path``; None if nothing is. Of a file too large to be read only that is told. Raises what
    ``host.files.read`` raises else.
    """
    try:
        state = state_of(host.files.read(path))
    except BookbagError as error:
        if error.code != "too-large":
            raise
        return {"kind": TOO_LARGE}
    if state is None:
        return None
    xattrs = state["xattrs"]
    assert isinstance(xattrs, Mapping)  # noqa: S101
    return {**state, "xattrs": {name: value for name, value in xattrs.items() if name not in _LABELS}}


def part(state: State | None, name: str) -> State | None:
    """What the ``state`` of a resource has of the file ``name``; None where nothing is, or should be."""
    found = None if state is None else state[name]
    assert found is None or isinstance(found, Mapping)  # noqa: S101
    return found


def lines_of(text: str) -> list[str]:
    """Its lines as programs that read configuration tell them: a line feed ends one and nothing else, where
    `str.splitlines` knows of ten more ends, which would be written back as line feeds.
    """
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def put(host: Host, path: str, state: State | None) -> None:
    """Make ``path`` be as ``state`` says, parents included. Raises ``bad-path`` for what cannot be."""
    if state is not None and state["kind"] not in ("file", "symlink"):
        raise BookbagError("bad-path", f"cannot put back a {state['kind']} at this place", place=path)
    node = node_of(state)
    if node is None:
        host.files.remove(path)
        return
    host.files.make_parents(path)
    host.files.write(path, node)


def in_the_way(state: object) -> bool:
    """Whether a directory or a huge file is where ``state``, or a part of it, speaks of a file."""
    if not isinstance(state, Mapping):
        return False
    if "kind" in state:
        return state["kind"] in _IN_THE_WAY
    return any(map(in_the_way, state.values()))


def replaceable(state: State | None, path: str) -> None:
    """Raise ``bad-path`` if what is at ``path`` could not be put back later: a directory, device or pipe."""
    kind = None if state is None else state["kind"]
    if kind in (None, "file", "symlink"):
        return
    what = f"a {kind}" if kind in _IN_THE_WAY else "a device, socket or pipe"
    raise BookbagError(
        "bad-path",
        f"cannot manage this path: {what} is there",
        place=path,
        remedy="remove it by hand, or choose another path",
    )


def parents(path: str) -> tuple[str, ...]:
    """The directories above ``path``, outermost first, without ``/``."""
    parts = path.strip("/").split("/")[:-1]
    return tuple("/" + "/".join(parts[: count + 1]) for count in range(len(parts)))
