"""wifi: one network of Wi-Fi that the laptop joins, as a connection of NetworkManager's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Power, State
from agent.host.base import Host, Node
from agent.host.lacking import need
from agent.host.wireless import (
    LEAST,
    MODE,
    Profile,
    Wireless,
    keyfile,
    owner_of,
    path_of,
    read_keyfile,
    unusable,
    uuid_of,
)
from agent.policy.bases.resource import Resource

_MOST_BYTES = 64 << 10
_OURS, _THEIRS = "Bookbag's", "a person's"


@dataclass(frozen=True, slots=True)
class Wifi(Resource):
    """A state has nothing of what only the network's users may know: neither pass-phrase nor who somebody is
    there, nor a hash of them. ``secret`` and ``identity_secret`` are names. ``last``: joined by itself only
    where no other network is.
    """

    kind: ClassVar[str] = "wifi"
    about: ClassVar[str] = "One network of Wi-Fi that the laptop joins, as a connection of NetworkManager's."
    needs: ClassVar[tuple[str, ...]] = ("wireless",)
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    mends_effects: ClassVar[bool] = True
    risk: ClassVar[str] = "the laptop joins it by itself, and whoever runs it sees what is not encrypted"

    network: str
    ssid: str = ""
    security: str = ""
    hidden: bool = False
    joins: bool = True
    priority: int = 0
    secret: str = ""
    eap: str = ""
    identity: str = ""
    identity_secret: str = ""
    outer: str = ""
    authority: str = ""
    server: str = ""
    last: bool = False

    @property
    def name(self) -> str:
        return self.network

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, self.risk

    def lacking(self, host: Host) -> str:
        if lacks := _wireless(host).lacks():
            return lacks
        there = self._file(host)
        if there is not None and not self._is_ours(there):
            return f"free place {self._path}: somebody else's network is in it; choose another name"
        return ""

    def secrets(self) -> tuple[str, ...]:
        return tuple(one for one in (self.identity_secret, self.secret) if one)

    def awaits(self, host: Host) -> str:
        if not self.ssid:
            return ""
        missing = [
            one for one in (self.identity_secret, self.secret) if one and self._given(host, one) is None
        ]
        return f"the secret {missing[0]}, which IT gives this laptop" if missing else ""

    # -- what should be, what is

    def desired(self) -> State | None:
        return {**_told(self._profile("", "")), "whole": "yes", "whose": _OURS, "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        node = self._file(host)
        if node is None:
            return None
        if not self._is_ours(node):
            return {"whose": _THEIRS}
        found = read_keyfile(self.network, node.content.decode(errors="replace"))
        whole = found is not None and (node.mode, node.owner, node.xattrs) == (MODE, "root", ())
        told = _told(found) if found is not None else {}
        state = {"whole": "yes" if whole else "no", "whose": _OURS}
        return {**told, **state, "effective": self._effective(host, found)}

    def guard(self, host: Host) -> None:
        node = self._file(host)
        if node is not None and not self._is_ours(node):
            raise BookbagError(
                "not-allowed",
                "cannot set up Wi-Fi: somebody else's network is in this place",
                place=self._path,
            )

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        if after is None:
            self.guard(host)
            host.files.remove(self._path)
        elif self.ssid:
            content = keyfile(self.network, self._wanted(host)).encode()
            host.files.make_parents(self._path)
            host.files.write(self._path, Node("file", MODE, content=content))
        _wireless(host).take_in(self._path)

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Whatever somebody changed of ours, it goes; what has its place by now stays."""
        return None if now is not None and now["whose"] == _OURS else now

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """What of ours was there before the journal knew of it goes as well."""
        del host
        return self.release(now, prior)

    # -- whether it may cut the laptop off

    def cuts_off(self) -> bool:
        return self.joins and not self.last

    def fallback(self, own: Sequence[str]) -> Resource | None:
        """After every other network that there is: where it was the way after all, it still is."""
        del own
        return replace(self, last=True)

    # -- where it is

    def paths(self) -> tuple[str, ...]:
        return (self._path,)

    def watches(self) -> tuple[str, ...]:
        """Goes on as soon as a secret is given, or another."""
        return (Layout().secrets_file,)

    @property
    def _path(self) -> str:
        return path_of(self.network)

    def _file(self, host: Host) -> Node | None:
        try:
            return host.files.read(self._path, limit=_MOST_BYTES)
        except BookbagError as error:
            if error.code != "too-large":
                raise
            return Node("other")

    def _is_ours(self, node: Node) -> bool:
        return node.kind == "file" and owner_of(node.content.decode(errors="replace")) == uuid_of(
            self.network
        )

    # -- secrets

    def _given(self, host: Host, name: str) -> str | None:
        return host.secrets.find(name) if host.secrets is not None else None

    def _wanted(self, host: Host) -> Profile:
        """All of it. Raises ``awaited``, and ``bad-argument`` for a secret that cannot be this network's."""
        values = {name: self._given(host, name) for name in (self.secret, self.identity_secret) if name}
        if None in values.values():
            raise BookbagError("awaited", f"cannot join it yet: it waits for {self.awaits(host)}")
        identity = values.get(self.identity_secret) or self.identity
        profile = self._profile(identity, values.get(self.secret) or "")
        if why := unusable(profile.secret, profile.security):
            remedy = f"bookbag-fleet secret set {self.secret}"
            raise BookbagError("bad-argument", f"cannot use the secret {self.secret}: {why}", remedy=remedy)
        return profile

    def _profile(self, identity: str, secret: str) -> Profile:
        return Profile(
            self.ssid,
            self.security,
            self.hidden,
            self.joins,
            LEAST if self.last else self.priority,
            self.eap,
            self.outer,
            self.authority,
            self.server,
            identity,
            secret,
        )

    def _effective(self, host: Host, found: Profile | None) -> str:
        """``yes``, or what NetworkManager has in mind instead."""
        if not self.ssid or found is None:
            return "not asked"
        wanted = self._wanted(host)
        if found.secret != wanted.secret or found.identity != wanted.identity:
            return "it has another secret than the one that was given"
        known = _wireless(host).known(uuid_of(self.network))
        if known is None:
            return "NetworkManager does not know it"
        return "yes" if known == wanted else "NetworkManager has it otherwise"


def _told(profile: Profile) -> dict[str, object]:
    """What may be told of one."""
    return {
        "ssid": profile.ssid,
        "security": profile.security,
        "hidden": profile.hidden,
        "joins": profile.joins,
        "priority": profile.priority,
        "eap": profile.eap,
        "outer": profile.outer,
        "authority": _fingerprint(profile.authority),
        "server": profile.server,
    }


def _fingerprint(authority: str) -> str:
    """How a certificate begins in the lists that people compare; "" for none."""
    try:
        return hashlib.sha256(base64.b64decode(authority)).hexdigest()[:16] if authority else ""
    except ValueError:
        return "no certificate"


def _wireless(host: Host) -> Wireless:
    return need(host.wireless, "wireless")
