"""Managed policies of browsers: files of JSON to which several settings give their parts, what of them is
harmless, and whether anything keeps a student's browser from obeying.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.filestate import look, parents, part, put, text_file
from agent.policy.bases.resource import Resource


class Managed(Resource):
    """One file of policies of one browser."""

    __slots__ = ()

    shared: ClassVar[bool] = True
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    #: What an ordinary policy may set: pages, lists and switches. Anything else could install or redirect,
    #: so it is root power until someone has thought about it and put it here. Of a policy that has keys each
    #: key is named: one beside them could send names to another server, or except a site.
    harmless: ClassVar[frozenset[str]] = frozenset()
    #: What settings of ours set beyond that, with root power.
    powerful: ClassVar[frozenset[str]] = frozenset()

    policies: Mapping[str, object]

    @property
    def path(self) -> str:
        """Where the browser reads it."""
        raise AttributeError(type(self).__name__)

    def joined(self, other: Self) -> Self:
        """See `Resource`."""
        policies = _together(self.policies, other.policies)
        return type(self)(**{**self.record(), "policies": policies})

    def power(self) -> tuple[Power, str]:
        """See `Resource`."""
        other = sorted(set(_named(self.policies)) - self.harmless)
        return (
            (Power.ROOT, f"the browser policy {other[0]} is not harmless") if other else (Power.ORDINARY, "")
        )

    def desired(self) -> State | None:
        """See `Resource`."""
        return {"file": self._file(), "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        """See `Resource`."""
        return {"file": look(host, self.path), "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """See `Resource`."""
        put(host, self.path, part(after, "file"))

    def paths(self) -> tuple[str, ...]:
        """See `Resource`."""
        return (self.path,)

    def checklist(self) -> Mapping[str, State | None]:
        """See `Resource`."""
        return {self.path: self._file()}

    def written(self) -> Mapping[str, object]:
        """What stands in the file."""
        return self.policies

    def _file(self) -> State:
        return text_file(
            json.dumps(dict(self.written()), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        )

    def _effective(self, host: Host) -> str:
        """``yes``, or why a student's browser does not get these values."""
        for folder in parents(self.path):
            node = host.files.read(folder)
            if node is not None and node.kind == "directory" and node.mode & 0o005 != 0o005:
                return f"students may not read the folder {folder}"
        return next(self._overridden(host), "yes")

    def _overridden(self, host: Host) -> Iterator[str]:
        """What else has the last word over this file."""
        del host
        return iter(())


def _named(policies: Mapping[str, object]) -> Iterator[str]:
    """The policies by name, and those that have keys by each of them."""
    for name, value in policies.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{key}" for key in value)
        else:
            yield name


def overridden(host: Host, path: str, policies: Mapping[str, object]) -> Iterator[str]:
    """What of ``policies`` another file of the folder decides otherwise: Chromium and its kin read them all,
    and the last in the order of their names has the last word.
    """
    folder, _, own = path.rpartition("/")
    for name in host.files.names(folder) or ():
        if name > own:
            theirs = _policies(host, f"{folder}/{name}")
            for stolen in sorted(set(theirs) & set(policies)):
                if theirs[stolen] != policies[stolen]:
                    yield f"{folder}/{name} overrides {stolen}"


def _policies(host: Host, path: str) -> Mapping[str, object]:
    """The policies in one file of someone else's; Chromium skips a file it cannot read, and so do we."""
    state = look(host, path)
    if state is None or state["kind"] != "file":
        return {}
    content = state["content"]
    try:
        value = json.loads(content) if isinstance(content, bytes) else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _together(one: object, other: object) -> object:
    """Two parts of one policy: mappings key by key, lists without repeating an entry."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        both = {**one, **other}
        return {
            key: _together(one[key], other[key]) if key in one and key in other else both[key] for key in both
        }
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *(entry for entry in other if entry not in one)]
    return other
