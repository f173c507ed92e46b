"""network.firewall: who may reach the laptop, and what its programs may reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.firewall import Firewall
from agent.policy.syntax.openings import Openings
from agent.policy.syntax.values import Key, Record, Type

OPEN, CLOSED = "open", "closed"


class NetworkFirewall(Setting):
    """Ports and addresses; which sites a browser opens is a setting of the browser's."""

    key: ClassVar[str] = "network.firewall"
    about: ClassVar[str] = (
        "What other machines may open on the laptop, and what its programs may open elsewhere: services, "
        "ports, perhaps of some addresses only. Answers, the laptop itself, DHCP, DNS, NTP and Bookbag's own "
        "sync are always open, so outgoing is no wall against somebody who sends other things through the "
        "port of DNS. Where outgoing rules cut the laptop off from the school's service, what does not come "
        "from a person's programs is let out again by itself."
    )
    value: ClassVar[Type] = Record(
        {
            "incoming": Key(
                Openings("from", (CLOSED,)), required=True, about="what others may open on the laptop"
            ),
            "outgoing": Key(
                Openings("to", (OPEN, CLOSED)), about="what its programs may open elsewhere; open if left out"
            ),
        },
        "a firewall",
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = Firewall.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "Only what the school listed passes between this laptop and the network, so that nobody "
        "breaks in from outside.",
        "ar": "لا يمر بين هذا الحاسوب والشبكة إلا ما حددته المدرسة، لكي لا يقتحمه أحد من الخارج.",
    }
    example: ClassVar[str] = (
        "network.firewall:\n"
        '  value: {incoming: [ssh from 10.2.0.0/16], outgoing: [web, "tcp 8443 to 10.2.0.9"]}'
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        incoming, outgoing = _lists(value)
        return (Firewall(incoming or [], outgoing),)

    def tighter(self, one: object, other: object) -> bool:
        return one != other and all(
            theirs is None or (ours is not None and set(ours) <= set(theirs))
            for ours, theirs in zip(_lists(one), _lists(other), strict=True)
        )

    def restricts(self, value: object) -> bool:
        return True  # without it everything passes, and what it opens nobody else has closed

    def show(self, value: object) -> str:
        incoming, outgoing = _lists(value)
        said = OPEN if outgoing is None else ", ".join(outgoing) or CLOSED
        return f"incoming {', '.join(incoming or []) or CLOSED}; outgoing {said}"


def _lists(value: object) -> tuple[list[str] | None, list[str] | None]:
    """(incoming, outgoing); None: all of it."""
    if not isinstance(value, Mapping):
        return None, None
    incoming, outgoing = value.get("incoming"), value.get("outgoing", OPEN)
    return (
        incoming if isinstance(incoming, list) else [],
        outgoing if isinstance(outgoing, list) else None if outgoing == OPEN else [],
    )
