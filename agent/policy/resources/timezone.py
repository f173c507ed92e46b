"""timezone: the zone in which the machine tells the time, for all who chose no other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.timekeeping import ZONE, ZONES
from agent.policy.bases.filestate import look, part, put, replaceable, text_file
from agent.policy.bases.fragment import services
from agent.policy.bases.resource import Resource

LINK, NAME = "/etc/localtime", "/etc/timezone"
#: What desktops ask; it remembers for a while what it read.
UNIT = "systemd-timedated.service"
_PARTS = (("link", LINK), ("name", NAME))


@dataclass(frozen=True, slots=True)
class Timezone(Resource):
    """The link that every program follows, and Debian's file with its name."""

    kind: ClassVar[str] = "timezone"
    sole: ClassVar[str] = "zone"
    about: ClassVar[str] = "The zone in which the machine tells the time."
    needs: ClassVar[tuple[str, ...]] = ("services", "timekeeping")
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    mends_effects: ClassVar[bool] = True
    taken_in: ClassVar[bool] = True

    zone: str = ""

    def power(self) -> tuple[Power, str]:
        """A link to one of the zones that the machine brought along can only move hours."""
        if re.fullmatch(ZONE, self.zone):
            return Power.ORDINARY, ""
        return Power.ROOT, "it is no time zone's name"

    def lacking(self, host: Host) -> str:
        known = host.timekeeping is not None and host.timekeeping.has_zone(self.zone)
        return "" if known else f"time zone {self.zone}"

    def desired(self) -> State | None:
        return {**self.checklist_by_part(), "effective": "yes"}

    def checklist_by_part(self) -> dict[str, State]:
        """What should be at each of the two places."""
        link = {**text_file(f"{ZONES}/{self.zone}", 0o777), "kind": "symlink"}
        return {"link": link, "name": text_file(f"{self.zone}\n")}

    def observe(self, host: Host) -> State | None:
        return {**{name: look(host, path) for name, path in _PARTS}, "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        for name, path in _PARTS:
            there, wanted = part(before, name), part(after, name)
            if wanted is None:
                replaceable(there, path)
            if there != wanted:
                put(host, path, wanted)
        services(host).take_in(UNIT)

    def paths(self) -> tuple[str, ...]:
        return (LINK, NAME)

    def checklist(self) -> Mapping[str, State | None]:
        wanted = self.checklist_by_part()
        return {path: wanted[name] for name, path in _PARTS}

    def _effective(self, host: Host) -> str:
        if not self.zone or host.timekeeping is None:  # known by its place only: nothing to compare with
            return "nothing is asked for"
        try:
            return "yes" if host.timekeeping.tells(self.zone) else f"programs tell no time of {self.zone}"
        except BookbagError as error:
            return error.message
