"""flatpak-source: one place that applications of flatpak come from, and the keys that are believed for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.flatpaks import OURS, STATE, Source
from agent.policy.bases.resource import Resource
from agent.policy.resources.flatpak import flatpaks
from agent.policy.syntax.openpgp import public_keys, public_keys_of

RISK = "whatever comes from it is believed, and runs as whoever starts it"
_UNREADABLE = "keys that cannot be read"


@dataclass(frozen=True, slots=True)
class FlatpakSource(Resource):
    """It says of itself that policy made it. What has its name and is somebody else's is told, and stays."""

    kind: ClassVar[str] = "flatpak-source"
    about: ClassVar[str] = "One place that applications of flatpak come from, and its keys."
    needs: ClassVar[tuple[str, ...]] = ("flatpaks",)

    source: str
    address: str = ""
    key: str = ""

    @property
    def name(self) -> str:
        return self.source

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, RISK

    def lacking(self, host: Host) -> str:
        if not flatpaks(host).there():
            return "flatpak"
        there = self.observe(host)
        theirs = there is not None and not there["ours"]
        wanted = self.desired() or {}
        if theirs and any(there[name] != one for name, one in wanted.items() if one is not None):  # type: ignore[index]
            return f"free name: another source is called {self.source}"
        return ""

    # -- what should be, what is

    def desired(self) -> State | None:
        keys = " ".join(public_keys(self.key).fingerprints) if self.key else ""
        return {"address": self.address, "verified": True, "keys": keys, "ours": None}

    def intended(self, before: State | None) -> State | None:
        wanted = self.desired() or {}
        return {**wanted, "ours": True if before is None else before["ours"]}

    def observe(self, host: Host) -> State | None:
        found = flatpaks(host).source(self.source)
        if found is None:
            return None
        return {
            "address": found.address,
            "verified": found.verified,
            "keys": _fingerprints(found.key),
            "ours": found.note == OURS,
        }

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        there = self.observe(host)
        if there is not None and not there["ours"]:
            return  # it was somebody else's all the time, or is by now
        made = None if after is None else Source(self.address, self.key.encode())
        flatpaks(host).set_source(self.source, made)

    # -- undoing

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Whatever somebody changed of ours, it goes; what has its name by now stays."""
        return None if now is not None and now["ours"] else now

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """What of ours was there before the journal knew of it goes as well."""
        del host
        return self.release(now, prior)

    def watches(self) -> tuple[str, ...]:
        """Where flatpak keeps all of them."""
        return (f"{STATE}/repo/config",)


def _fingerprints(key: bytes) -> str:
    """Of keys in letters, or as flatpak keeps them."""
    try:
        found = public_keys(key.decode()) if key.startswith(b"-----") else public_keys_of(key)
    except ValueError:
        return _UNREADABLE
    return " ".join(found.fingerprints)
