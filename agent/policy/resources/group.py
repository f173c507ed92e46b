"""group: a group of the laptop's own is there, and who is in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.administration import (
    ADMINISTRATORS,
    NAME,
    accounts_of,
    not_a_persons,
    stays_administered,
)
from agent.policy.bases.resource import Resource
from agent.policy.syntax.values import Flag, Key, ListOf

_AS_DECIDED = "yes"
#: Whose members could read every password, or are root in all but name without being asked for one.
_NOBODYS = frozenset(("root", "shadow"))


@dataclass(frozen=True, slots=True)
class Group(Resource):
    """One group, made where there is none. Of its members those count that have an account on the laptop."""

    kind: ClassVar[str] = "group"
    about: ClassVar[str] = (
        "A group of the laptop's own, and who is in it. It is made if it is not there. Names without an "
        "account on the laptop are passed over. From `sudo` nobody is taken out who is the last that may "
        "administer the laptop."
    )
    powers: ClassVar[str] = "Never ordinary: groups such as sudo, disk and docker are root's power."
    direct: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("accounts",)
    effects: ClassVar[frozenset[str]] = frozenset(("as decided", "here"))
    mends_effects: ClassVar[bool] = True
    late: ClassVar[bool] = True
    keys: ClassVar[Mapping[str, Key]] = {
        "group": Key(NAME, required=True, about="its name"),
        "members": Key(ListOf(NAME, most=200), about="who is in it"),
        "without": Key(ListOf(NAME, most=200), about="who is not in it"),
        "only": Key(Flag(), about="true: nobody else is in it"),
    }
    example: ClassVar[str] = "- group: {group: audio, members: [lina], without: [guest]}"

    group: str
    members: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    only: bool = False

    @property
    def name(self) -> str:
        return self.group

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(group=name)

    def mistake(self) -> str:
        both = sorted(set(self.members) & set(self.without))
        return f"{both[0]} cannot be in it and not in it" if both else ""

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, "who is in a group may do what its files allow"

    def forbidden(self) -> str:
        if self.group in _NOBODYS:
            return "nobody may be in that group"
        if self.group.startswith("bookbag"):
            return "it belongs to Bookbag itself"
        return next((f"{one}: {why}" for one in self.members if (why := not_a_persons(one))), "")

    def desired(self) -> State | None:
        return {"members": None, "as decided": _AS_DECIDED, "here": None}

    def intended(self, before: State | None) -> State | None:
        here = _names(before, "here")
        decided = self._decided(_names(before, "members"), [one for one in self.members if one in here])
        return {"members": decided, "as decided": _AS_DECIDED, "here": here}

    def observe(self, host: Host) -> State | None:
        """``members``: None where there is no such group. ``here``: who of those named has an account."""
        found, here = accounts_of(host).members(self.group), self._here(host)
        return {"members": found, "as decided": self._seen(host, found, here), "here": here}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        accounts = accounts_of(host)
        there = accounts.members(self.group)
        if after is None or after["members"] is None:
            if there is not None:
                accounts.remove_group(self.group)
            return
        if there is None:
            accounts.add_group(self.group)
        if (wanted := _names(after, "members")) != there:
            accounts.set_members(self.group, wanted)

    def guard(self, host: Host) -> None:
        if self.group == ADMINISTRATORS:
            now = accounts_of(host).members(self.group) or ()
            stays_administered(host, without=set(now) - set(self._decided(now, self._here(host))))

    def watches(self) -> tuple[str, ...]:
        return ("/etc/group", "/etc/passwd")

    # -- beneath

    def _decided(self, there: tuple[str, ...], members: Sequence[str]) -> tuple[str, ...]:
        """Who is in it in the end: those there first, in their order."""
        stay = [one for one in there if one not in self.without and (one in members or not self.only)]
        return (*stay, *(one for one in members if one not in stay))

    def _here(self, host: Host) -> tuple[str, ...]:
        there = {one.name for one in accounts_of(host).people()}
        return tuple(one for one in self.members if one in there)

    def _seen(self, host: Host, found: tuple[str, ...] | None, here: tuple[str, ...]) -> str:
        if found is None:
            return f"there is no group {self.group}"
        wanted = self._decided(found, here)
        if missing := [one for one in wanted if one not in found]:
            return f"{missing[0]} is not in it"
        if more := [one for one in found if one not in wanted]:
            return f"{more[0]} is in it"
        accounts = accounts_of(host)
        out = [
            *self.without,
            *(one.name for one in accounts.people() if self.only and one.name not in wanted),
        ]
        return next(
            (f"{one} begins with it" for one in out if accounts.group_of(one) == self.group), _AS_DECIDED
        )


def _names(state: State | None, part: str) -> tuple[str, ...]:
    found = None if state is None else state[part]
    return tuple(map(str, found)) if isinstance(found, tuple | list) else ()
