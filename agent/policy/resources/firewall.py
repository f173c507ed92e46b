"""firewall: what may come in and go out, in a table of nftables that is ours alone.

What a laptop cannot do without is open whatever is decided: itself, answers, an address (DHCP, neighbours),
names (DNS), the time (NTP), and whatever Bookbag's own sync user sends, for it is how the next policy
arrives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from agent.core.layout import Layout
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.lacking import need
from agent.host.network import Firewall as FirewallHost
from agent.host.nft_table import chain, plain, rule, script
from agent.policy.bases.filestate import look, part, put, text_file
from agent.policy.bases.resource import Resource
from agent.policy.syntax.openings import ports

#: What `bookbag-firewall.service` loads when the laptop starts, before there is any network.
PATH = f"{Layout().etc}/firewall.json"
IN, OUT = "incoming", "outgoing"
SYNC_USER = "bookbag-sync"
ACCEPT: Final = {"accept": None}
#: Programs are told at once, instead of waiting for minutes.
_REFUSE: Final = {"reject": {"type": "icmpx", "expr": "admin-prohibited"}}
_NEIGHBOURS = ("mld-listener-query", "nd-neighbor-advert", "nd-neighbor-solicit", "nd-router-advert")
_NEIGHBOURS_OUT = (
    *("mld-listener-report", "mld2-listener-report"),
    *("nd-neighbor-advert", "nd-neighbor-solicit", "nd-router-solicit"),
)
#: Persons, and what they run in name spaces of their own (`/etc/subuid`); between them are services.
_PERSONS = ((1000, 59_999), (65_536, 4_294_967_294))


@dataclass(frozen=True, slots=True)
class Firewall(Resource):
    """``outgoing``: None if everything may go out. ``reopened``: what persons send stays as decided, and all
    else may go out, for something on the way to the school's service (a VPN, a relay) seems to need it.
    """

    kind: ClassVar[str] = "firewall"
    sole: ClassVar[str] = "bookbag"
    about: ClassVar[str] = "What may come in and go out, by rules of nftables in a table of their own."
    needs: ClassVar[tuple[str, ...]] = ("firewall",)
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    mends_effects: ClassVar[bool] = True
    risk: ClassVar[str] = "it decides what may reach and leave the laptop"

    incoming: list[str] = field(default_factory=list)
    outgoing: list[str] | None = None
    reopened: bool = False

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, self.risk

    def desired(self) -> State | None:
        return {"file": text_file(self._script()), "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        return {"file": look(host, PATH), "effective": self._effective(host)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        wanted = part(after, "file")
        if before is None or before["file"] != wanted:
            put(host, PATH, wanted)
        if wanted == text_file(self._script()):
            _firewall(host).load(self._script())
        else:
            _firewall(host).clear()

    def cuts_off(self) -> bool:
        return self.outgoing is not None and not self.reopened

    def fallback(self, own: Sequence[str]) -> Resource | None:
        return replace(self, reopened=True)

    def paths(self) -> tuple[str, ...]:
        return (PATH,)

    def checklist(self) -> Mapping[str, State | None]:
        return {PATH: text_file(self._script())}

    def _script(self) -> str:
        return script(tuple(self._objects()))

    def _effective(self, host: Host) -> str:
        """``yes``, or what the machine's rules are instead."""
        listed = _firewall(host).listed()
        if listed is None:
            return "its rules are not loaded"
        return "yes" if listed == plain(tuple(self._objects())) else "other rules are loaded"

    # -- the rules

    def _objects(self) -> Iterator[object]:
        yield chain(IN, "input", "drop")
        if self.outgoing is not None:
            yield chain(OUT, "output", "accept" if self.reopened else "drop")
        yield rule(IN, _is("meta", "iifname", "lo"), ACCEPT)
        yield rule(IN, _ANSWERS, ACCEPT)
        yield rule(IN, _icmp6(_NEIGHBOURS), ACCEPT)
        yield rule(IN, _port("udp", 67, side="sport"), _port("udp", 68), ACCEPT)
        yield rule(IN, _port("udp", 547, side="sport"), _port("udp", 546), ACCEPT)
        yield from self._listed(IN, self.incoming, "saddr")
        if self.outgoing is not None:
            yield from self._out(self.outgoing)

    def _out(self, outgoing: list[str]) -> Iterator[object]:
        yield rule(OUT, _is("meta", "oifname", "lo"), ACCEPT)
        yield rule(OUT, _ANSWERS, ACCEPT)
        yield rule(OUT, _is("meta", "skuid", SYNC_USER), ACCEPT)
        yield rule(OUT, _icmp6(_NEIGHBOURS_OUT), ACCEPT)
        for protocol, number in (
            *(("udp", 67), ("udp", 547)),  # addresses
            *(("udp", 53), ("tcp", 53), ("tcp", 853)),  # names
            ("udp", 123),  # the time
        ):
            yield rule(OUT, _port(protocol, number), ACCEPT)
        yield from self._listed(OUT, outgoing, "daddr")
        if not self.reopened:
            yield rule(OUT, _REFUSE)
            return
        for first, last in _PERSONS:
            yield rule(OUT, _is("meta", "skuid", {"range": [first, last]}), _REFUSE)

    def _listed(self, where: str, openings: list[str], side: str) -> Iterator[object]:
        for opening in openings:
            ranges, whom = ports(opening)
            to = (_address(whom, side),) if whom else ()
            for protocol, first, last in ranges:
                if protocol == "ping":
                    versions = [6 if ":" in whom else 4] if whom else [4, 6]
                    for one in versions:
                        family = "icmp" if one == 4 else "icmpv6"
                        yield rule(where, *to, _field(family, "type", "echo-request"), ACCEPT)
                else:
                    yield rule(where, *to, _port(protocol, first, last), ACCEPT)


def _is(what: str, key: str, value: object) -> object:
    return {"match": {"op": "==", "left": {what: {"key": key}}, "right": value}}


def _field(protocol: str, name: str, value: object) -> object:
    left = {"payload": {"protocol": protocol, "field": name}}
    return {"match": {"op": "==", "left": left, "right": value}}


_ANSWERS: Final = {
    "match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}
}


def _icmp6(types: tuple[str, ...]) -> object:
    return _field("icmpv6", "type", {"set": sorted(types)})


def _port(protocol: str, first: int, last: int = 0, side: str = "dport") -> object:
    return _field(protocol, side, {"range": [first, last]} if last > first else first)


def _address(whom: str, side: str) -> object:
    address, _, length = whom.partition("/")
    family, most = ("ip6", 128) if ":" in address else ("ip", 32)
    one = int(length) == most
    return _field(family, side, address if one else {"prefix": {"addr": address, "len": int(length)}})


def _firewall(host: Host) -> FirewallHost:
    return need(host.firewall, "firewall")
