"""Networks of Wi-Fi as policies list them: what a laptop needs to know to join the right one, and the names
of the secrets that IT gives it beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.host.wireless import ENTERPRISE, NAME, OPEN, PEAP, PERSONAL, TTLS
from agent.policy.syntax.certificates import Pem
from agent.policy.syntax.nodes import Node, Scalar, Sequence
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.secretname import SecretName
from agent.policy.syntax.values import BAD, Choice, Flag, Key, ListOf, Record, Text, wrong

_SIGN = r"[^\s\x00-\x1f\x7f]"
_LINE = rf"{_SIGN}([^\x00-\x1f\x7f]{{0,200}}{_SIGN})?"
_IDENTITY: Final = Text(most=200, pattern=_LINE, what="a text of 1 to 200 characters")
_HOST = r"[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))+"


_SSID: Final = Text(most=32, pattern=_LINE, what="the network's name: 1 to 32 bytes, no space at an end")


class _Ssid:
    """1 to 32 bytes, of which a text of other letters has more than characters."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = _SSID.read(node, problems)
        if isinstance(value, str) and len(value.encode()) > _SSID.most:
            return wrong(self, node, problems, why=f"it has {len(value.encode())} bytes")
        return value

    def describe(self) -> str:
        """See `Type`."""
        return _SSID.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return _SSID.schema()


_SECRET: Final = SecretName()


@dataclass(frozen=True, slots=True)
class _Priority:
    """A whole number."""

    most: int = 100

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        value = node.value if isinstance(node, Scalar) else None
        if type(value) is not int or not -self.most <= value <= self.most:
            return wrong(self, node, problems)
        return value

    def describe(self) -> str:
        """See `Type`."""
        return f"a whole number from -{self.most} to {self.most}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"type": "integer", "minimum": -self.most, "maximum": self.most}


_NETWORK: Final = Record(
    {
        "name": Key(
            Text(most=32, pattern=NAME, what="a short name of a-z, 0-9 and hyphens"),
            required=True,
            about="tells networks of several ranks apart, and is what reports call it",
        ),
        "ssid": Key(_Ssid(), required=True, about="as the network calls itself"),
        "security": Key(Choice((OPEN, PERSONAL, ENTERPRISE)), required=True, about="how it is closed"),
        "secret": Key(_SECRET, about="which secret is its pass-phrase or, of wpa-enterprise, the password"),
        "hidden": Key(Flag(), about="whether it keeps its name to itself, so that laptops have to call it"),
        "join": Key(Flag(), about="whether the laptop joins it by itself; true if left out"),
        "priority": Key(_Priority(), about="of several in reach the highest is joined; 0 if left out"),
        "eap": Key(Choice((PEAP, TTLS)), about="peap (with MSCHAPv2) or ttls (with PAP)"),
        "identity": Key(_IDENTITY, about="who the laptop is there; every laptop of the site can read it"),
        "identity-secret": Key(_SECRET, about="which secret that is, instead"),
        "anonymous-identity": Key(_IDENTITY, about="who it is before the network has shown who it is"),
        "authority": Key(Pem(), about="whose certificate the network must have"),
        "server": Key(
            Text(most=253, pattern=_HOST, what="a host name such as radius.north.example"),
            about="for which name, or a name below it",
        ),
    },
    "a network",
)
#: What is known of each kind of network beside what all have.
_ALL: Final = frozenset(("name", "ssid", "security", "hidden", "join", "priority"))
_WHO: Final = ("identity", "identity-secret")
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    OPEN: _ALL,
    PERSONAL: _ALL | {"secret"},
    ENTERPRISE: frozenset(_NETWORK.keys),
}
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    OPEN: (),
    PERSONAL: ("secret",),
    ENTERPRISE: ("authority", "server", "eap", "secret"),
}


@dataclass(frozen=True, slots=True)
class Networks:
    """A list of them, each name once."""

    most: int = 20

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        values = self._list.read(node, problems)
        if not isinstance(values, list) or not isinstance(node, Sequence):
            return BAD
        names: set[object] = set()
        for entry, item in zip(values, node.items, strict=False):  # fewer where one was complained of
            if not isinstance(entry, Mapping) or len(values) < len(node.items):
                continue
            if why := _mistake(entry):
                wrong(_NETWORK, item, problems, why=why)
            if entry["name"] in names:
                wrong(_NETWORK, item, problems, why=f"another is called {entry['name']}", remedy="rename one")
            names.add(entry["name"])
        return values

    def describe(self) -> str:
        """See `Type`."""
        return self._list.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return self._list.schema()

    @property
    def _list(self) -> ListOf:
        return ListOf(_NETWORK, self.most)


def _mistake(entry: Mapping[str, object]) -> str:
    """What is wrong with the keys of one network together; "" if nothing."""
    security = str(entry["security"])
    if extra := sorted(set(entry) - _KNOWN[security]):
        return f"a network that is {security} has no {extra[0]}"
    if missing := [one for one in _NEEDED[security] if one not in entry]:
        if missing[0] in ("authority", "server"):
            return (
                f"it names no {missing[0]}, so the password would go to whoever calls a network like this one"
            )
        return f"a network that is {security} needs {missing[0]}"
    if security == ENTERPRISE and sum(one in entry for one in _WHO) != 1:
        return f"it needs one of {' and '.join(_WHO)}"
    return ""
