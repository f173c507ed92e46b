"""Kinds that are one file of configuration beside a program's own: what the program makes of it is told too,
for a file that is in place and not obeyed is not in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.filestate import look, part, put, replaceable, text_file
from agent.policy.bases.resource import Resource


class DropIn(Resource):
    """A subclass says where the file is (`path`), what is in it (`text`), why that takes root power (`risk`),
    and what is done instead of it (`problem`).
    """

    __slots__ = ()

    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    mode: ClassVar[int] = 0o644
    risk: ClassVar[str]  #: why it takes two persons, to follow "because"

    @property
    def path(self) -> str:
        """Where the program reads it."""
        raise AttributeError(type(self).__name__)

    def text(self) -> str:
        """All that is in the file."""
        raise AttributeError(type(self).__name__)

    def problem(self, host: Host) -> str:
        """What is done instead, in words; empty if it is obeyed. Whoever obeys is asked, never the file."""
        raise AttributeError(type(self).__name__)

    # -- Resource

    def power(self) -> tuple[Power, str]:
        """As `Resource.power`."""
        return Power.ROOT, self.risk

    def desired(self) -> State | None:
        """As `Resource.desired`."""
        return {"file": text_file(self.text(), self.mode), "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        """As `Resource.observe`."""
        return {"file": look(host, self.path), "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """As `Resource.apply`."""
        there, wanted = part(before, "file"), part(after, "file")
        if wanted is None:
            replaceable(there, self.path)
        if there != wanted:
            put(host, self.path, wanted)

    def paths(self) -> tuple[str, ...]:
        """As `Resource.paths`."""
        return (self.path,)

    def watches(self) -> tuple[str, ...]:
        """The folder: programs read all that is in it, and the last file has the last word."""
        return (self.path.rpartition("/")[0],)

    def checklist(self) -> Mapping[str, State | None]:
        """As `Resource.checklist`."""
        return {self.path: text_file(self.text(), self.mode)}

    def _effective(self, host: Host) -> str:
        try:
            return self.problem(host) or "yes"
        except BookbagError as error:  # that it cannot be asked keeps nothing from being written, or put back
            return error.message
