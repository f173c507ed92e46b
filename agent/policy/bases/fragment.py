"""Kinds that are one file of configuration for a program that runs as root, which has to take it in: what the
program says that it obeys is read back, not the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.services import Services
from agent.policy.bases.filestate import look, put, replaceable, text_file
from agent.policy.bases.resource import Resource


class Fragment(Resource):
    """A subclass says where the file is (`path`), what is in it (`text`), which units read it (`units`), why
    that takes root power (`risk`), and asks the program (`problem`).
    """

    __slots__ = ()

    needs: ClassVar[tuple[str, ...]] = ("services",)
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    mends_effects: ClassVar[bool] = True
    taken_in: ClassVar[bool] = True
    mode: ClassVar[int] = 0o644
    risk: ClassVar[str]  #: why it takes two persons, to follow "because"

    @property
    def path(self) -> str:
        """Where the program reads it."""
        raise AttributeError(type(self).__name__)

    def units(self) -> tuple[str, ...]:
        """What has to take it in, as far as it runs. The first has to be installed."""
        raise AttributeError(type(self).__name__)

    def text(self) -> str:
        """All that is in the file."""
        raise AttributeError(type(self).__name__)

    def problem(self, host: Host) -> str:
        """What the program does instead, in words; empty if it obeys. It is asked, never the file."""
        raise AttributeError(type(self).__name__)

    def take_in(self, host: Host) -> None:
        """Have the programs read what lies there now, or no longer lies there."""
        for unit in self.units():
            services(host).take_in(unit)

    # -- Resource

    def power(self) -> tuple[Power, str]:
        """As `Resource.power`."""
        return Power.ROOT, self.risk

    def lacking(self, host: Host) -> str:
        """As `Resource.lacking`."""
        units = self.units()
        return units[0] if units and not services(host).state(units[0]).known else ""

    def desired(self) -> State | None:
        """As `Resource.desired`."""
        return {"file": text_file(self.text(), self.mode), "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        """As `Resource.observe`."""
        return {"file": look(host, self.path), "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        """As `Resource.apply`. The programs are told even where the file is as it should be: they may have
        been cut off from what was written before.
        """
        there, wanted = (None if state is None else state["file"] for state in (before, after))
        assert there is None or isinstance(there, Mapping)  # noqa: S101
        assert wanted is None or isinstance(wanted, Mapping)  # noqa: S101
        if wanted is None:
            replaceable(there, self.path)
        if there != wanted:
            put(host, self.path, wanted)
        self.take_in(host)

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


def services(host: Host) -> Services:
    """The machine's service manager. Raises ``not-supported`` if it has none."""
    if host.services is None:
        raise BookbagError("not-supported", "cannot do this here: the machine has no service manager")
    return host.services
