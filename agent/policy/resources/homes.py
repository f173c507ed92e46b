"""homes: who may look into the homes of the laptop's people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.administration import accounts_of
from agent.policy.bases.resource import Resource

_YES = "yes"
_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Homes(Resource):
    """Every home there is, and each that comes. ``mode``: octal; "": as found."""

    kind: ClassVar[str] = "homes"
    sole: ClassVar[str] = "people"
    about: ClassVar[str] = "Who may look into the homes of the laptop's people."
    needs: ClassVar[tuple[str, ...]] = ("accounts",)
    effects: ClassVar[frozenset[str]] = frozenset(("as decided",))
    mends_effects: ClassVar[bool] = True
    late: ClassVar[bool] = True

    mode: str = ""

    def power(self) -> tuple[Power, str]:
        if self.mode and not int(self.mode, 8) & _OTHERS:
            return Power.ORDINARY, ""
        return Power.ROOT, "it lets people look into what others keep"

    def desired(self) -> State | None:
        return {"modes": None, "as decided": _YES}

    def intended(self, before: State | None) -> State | None:
        return {"modes": dict.fromkeys(_modes(before), int(self.mode, 8)), "as decided": _YES}

    def observe(self, host: Host) -> State | None:
        found: dict[str, int] = {}
        for account in accounts_of(host).people():
            node = host.files.read(account.home)
            if node is not None and node.kind == "directory":
                found[account.name] = node.mode
        odd = sorted(name for name, mode in found.items() if self.mode and mode != int(self.mode, 8))
        return {"modes": found, "as decided": f"{odd[0]}'s is {found[odd[0]]:04o}" if odd else _YES}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        there = _modes(before)
        for name, mode in _modes(after).items():
            if there.get(name) != mode and accounts_of(host).find(name) is not None:
                accounts_of(host).set_home_mode(name, mode)

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Homes came or went since: those that were there before go back to what they were."""
        there, before = _modes(now), _modes(prior)
        return {"modes": {name: before.get(name, mode) for name, mode in there.items()}}

    def settled(self, seen: State | None, after: State | None) -> State | None:
        """Whoever came since has a home that is not looked at, and whoever went has none."""
        there = _modes(seen)
        return {"modes": {name: there.get(name, mode) for name, mode in _modes(after).items()}}

    def watches(self) -> tuple[str, ...]:
        return ("/etc/passwd", "/home")


def _modes(state: State | None) -> Mapping[str, int]:
    found = None if state is None else state["modes"]
    return {name: int(str(mode)) for name, mode in found.items()} if isinstance(found, Mapping) else {}
