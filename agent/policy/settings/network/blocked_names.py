"""network.blocked-names: names that lead nowhere, whatever program asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.block import HOSTS, NAME, NOWHERE, Block
from agent.policy.syntax.values import ListOf, Text, Type


class NetworkBlockedNames(Setting):
    """Every program's, unlike a browser's list; and of the name alone, not of those below it."""

    key: ClassVar[str] = "network.blocked-names"
    about: ClassVar[str] = (
        "Host names that lead nowhere, for every program of the laptop: lines of /etc/hosts. Each name "
        "counts alone, so www.casino.example is listed beside casino.example. A browser that has name "
        "servers of its own (`browser.dns-over-https`) or a program that knows the address passes by it. "
        "Where a list cuts the laptop off from the school's service, the service's own name is taken out "
        "of it by itself."
    )
    value: ClassVar[Type] = ListOf(
        Text(most=253, pattern=NAME, what="a host name in small letters, such as www.casino.example")
    )
    merge: ClassVar[Merge] = Merge.UNION
    why: ClassVar[Mapping[str, str]] = {
        "en": "These addresses are closed for every program by a rule of your school.",
        "ar": "هذه العناوين مغلقة أمام كل البرامج بقاعدة من مدرستك.",
    }
    example: ClassVar[str] = "network.blocked-names: [casino.example, www.casino.example]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        lines = [f"{address} {name}" for name in sorted(map(str, value)) for address in NOWHERE]
        return (Block(HOSTS, lines),)

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, list) and isinstance(other, list) and set(one) > set(other)

    def restricts(self, value: object) -> bool:
        return bool(value)
