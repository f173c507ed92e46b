"""Kinds that are one file at a place of their own, written whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.core.model import State
from agent.host.base import Host
from agent.policy.bases.filestate import look, put, replaceable, text_file
from agent.policy.bases.resource import Resource


class OneFile(Resource):
    """``place``: its path. What was there before is put aside, and put back."""

    __slots__ = ()

    place: ClassVar[str]

    def text(self) -> str:
        """All that is in it."""
        raise AttributeError(type(self).__name__)

    def desired(self) -> State | None:
        """As `Resource.desired`."""
        return text_file(self.text())

    def observe(self, host: Host) -> State | None:
        """As `Resource.observe`."""
        return look(host, self.place)

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """As `Resource.apply`."""
        if after is None:
            replaceable(before, self.place)
        put(host, self.place, after)

    def paths(self) -> tuple[str, ...]:
        """As `Resource.paths`."""
        return (self.place,)

    def checklist(self) -> Mapping[str, State | None]:
        """As `Resource.checklist`."""
        return {self.place: self.desired()}
