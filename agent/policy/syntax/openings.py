"""What a firewall lets through, as policies name it: `ssh`, `tcp 8000-8010`, `tcp 443 to 203.0.113.0/24`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems, nearest
from agent.policy.syntax.values import ListOf, Text, wrong

#: What people call it → (protocol, first port, last port). ``ping`` has no port.
SERVICES: Final[Mapping[str, tuple[tuple[str, int, int], ...]]] = {
    "file-sharing": (("tcp", 445, 445),),
    "mail": (("tcp", 465, 465), ("tcp", 587, 587), ("tcp", 993, 993), ("tcp", 995, 995)),
    "mdns": (("udp", 5353, 5353),),
    "ping": (("ping", 0, 0),),
    "printing": (("tcp", 631, 631), ("tcp", 9100, 9100)),
    "remote-desktop": (("tcp", 3389, 3389), ("tcp", 5900, 5900)),
    "ssh": (("tcp", 22, 22),),
    "web": (("tcp", 80, 80), ("tcp", 443, 443), ("udp", 443, 443)),
}
_TEXT = Text(most=100)
_PORTS = re.compile(r"(tcp|udp) ([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?")


@dataclass(frozen=True, slots=True)
class Opening:
    """One service or range of ports. ``word``: ``from`` (whom it is open to) or ``to`` (where it leads)."""

    word: str

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _TEXT.read(node, problems)
        if not isinstance(text, str):
            return text
        what, joined, whom = text.partition(f" {self.word} ")
        why = _what_is_wrong(what) or (_whom_is_wrong(whom) if joined else "")
        if why:
            known = nearest(what, SERVICES) if what.isalpha() or "-" in what else ""
            return wrong(self, node, problems, why=why, remedy=known)
        return f"{what} {self.word} {ipaddress.ip_network(whom)}" if joined else what

    def describe(self) -> str:
        """See `Type`."""
        return (
            f"a service ({', '.join(SERVICES)}) or ports such as tcp 8000 or udp 5000-5010, "
            f"and perhaps {self.word} an address such as 10.2.0.0/16"
        )

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        what = f"({'|'.join(SERVICES)}|(tcp|udp) [0-9]{{1,5}}(-[0-9]{{1,5}})?)"
        return {**_TEXT.schema(), "pattern": f"^{what}( {self.word} [0-9a-fA-F:./]+)?$"}


@dataclass(frozen=True, slots=True)
class Openings:
    """A list of them, or a word that stands for a list: ``words`` → value."""

    word: str
    words: tuple[str, ...]
    most: int = 60

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`. The value is a list, or the word."""
        if isinstance(node, Scalar) and node.value in self.words:
            return node.value
        if isinstance(node, Scalar):
            return wrong(self, node, problems)
        return self._list.read(node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return f"{' or '.join(self.words)}, or {self._list.describe()}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"anyOf": [{"enum": list(self.words)}, self._list.schema()]}

    @property
    def _list(self) -> ListOf:
        return ListOf(Opening(self.word), self.most)


def ports(opening: str) -> tuple[tuple[tuple[str, int, int], ...], str]:
    """What an `Opening` stands for, and the address; ``""``: any."""
    what, _, whom = opening.replace(" from ", " to ").partition(" to ")
    if what in SERVICES:
        return SERVICES[what], whom
    protocol, _, numbers = what.partition(" ")
    first, _, last = numbers.partition("-")
    return ((protocol, int(first), int(last or first)),), whom


def _what_is_wrong(what: str) -> str:
    if what in SERVICES:
        return ""
    found = _PORTS.fullmatch(what)
    if found is None:
        return "it is neither"
    first, last = int(found[2]), int(found[3] or found[2])
    return "" if first <= last <= 65535 else "ports go from 1 to 65535, the lower first"


def _whom_is_wrong(whom: str) -> str:
    try:
        ipaddress.ip_network(whom)
    except ValueError as error:
        return f"its address is none: {error}"
    return ""
