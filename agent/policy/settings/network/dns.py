"""network.dns: whom programs ask for names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.block import NAME
from agent.policy.resources.resolvers import Resolvers
from agent.policy.syntax.addresses import Address
from agent.policy.syntax.values import Key, ListOf, Record, Text, Type

_DOMAIN: Final = Text(most=253, pattern=NAME, what="a domain in small letters, such as north.example")


class NetworkDns(Setting):
    """NetworkManager's, which GNOME on Debian has; systemd-resolved is not spoken to."""

    key: ClassVar[str] = "network.dns"
    about: ClassVar[str] = (
        "Which servers programs ask for names, on every network, also at home: so they have to be reached "
        "from everywhere. It is NetworkManager that obeys, before what a network or a person's own "
        "connection says; without it this is not supported, and where systemd-resolved answers it is not "
        "effective. Programs ask the second only where the first is silent. It closes nothing: who asks "
        "another server gets another answer (`browser.dns-over-https`). Where it cuts the laptop off from "
        "the school's service, the network's own servers are asked again by themselves."
    )
    value: ClassVar[Type] = Record(
        {
            "servers": Key(ListOf(Address(), most=3), required=True, about="who is asked, in this order"),
            "search": Key(
                ListOf(_DOMAIN, most=6), about="domains in which a name without a dot is looked for"
            ),
        },
        "servers for names",
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = Resolvers.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "The school decided who tells this laptop where addresses of the web lead.",
        "ar": "قررت المدرسة من يخبر هذا الحاسوب إلى أين تقود عناوين الإنترنت.",
    }
    example: ClassVar[str] = (
        'network.dns:\n  value: {servers: ["9.9.9.9", "149.112.112.112"], search: [north.example]}'
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        return (Resolvers(_listed(value, "servers"), _listed(value, "search")),)

    def show(self, value: object) -> str:
        said = ", ".join(_listed(value, "servers"))
        search = ", ".join(_listed(value, "search"))
        return f"{said}; in {search}" if search else said


def _listed(value: object, key: str) -> list[str]:
    found = value.get(key) if isinstance(value, Mapping) else None
    return [str(one) for one in found] if isinstance(found, list) else []
