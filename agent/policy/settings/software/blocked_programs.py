"""software.blocked-programs: programs of the laptop that only administrators start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.blocked_program import BlockedProgram
from agent.policy.syntax.programs import ProgramPath
from agent.policy.syntax.values import ListOf, Type


class SoftwareBlockedPrograms(Setting):
    """Each rank adds its own."""

    key: ClassVar[str] = "software.blocked-programs"
    about: ClassVar[str] = (
        "Programs of the laptop that only administrators (the group sudo) start, be it from a menu, a "
        "terminal or another program; services that are not root's are kept from them, too, and what runs "
        "already goes on until it ends. Each is named by the file itself, not by a link to it (`readlink -f` "
        "tells). It stays closed when its package is upgraded, and one that is not installed is closed when "
        "it comes. Withdrawn, owner, mode, capabilities and access lists are as they were. What the laptop "
        "or Bookbag does not do without is never closed, and that is told: shells, Python, sudo, and every "
        "program of a package that it takes to start, to be administered, to show a desktop and to help "
        "people see, hear and type. This closes programs of the laptop and no more: a copy that somebody "
        "has in their home or on a stick starts, and so does another program that does the same, or what "
        "the named file only leads to: name /usr/lib/chromium/chromium beside /usr/bin/chromium. Snaps and "
        "flatpaks are not such files."
    )
    value: ClassVar[Type] = ListOf(ProgramPath(), most=100)
    merge: ClassVar[Merge] = Merge.UNION
    apart: ClassVar[bool] = True
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school keeps these programs of the laptop closed. If you need one for a lesson, ask.",
        "ar": "تُبقي مدرستك هذه البرامج في الحاسوب مغلقة. إن احتجت إلى أحدها لدرس فاطلبه.",
    }
    example: ClassVar[str] = "software.blocked-programs: [/usr/games/sol, /usr/bin/transmission-gtk]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, list)  # noqa: S101
        return tuple(map(BlockedProgram, sorted(map(str, value))))

    def tighter(self, one: object, other: object) -> bool:
        """As `Setting.tighter`."""
        return isinstance(one, list) and isinstance(other, list) and set(one) > set(other)

    def restricts(self, value: object) -> bool:
        """As `Setting.restricts`."""
        return bool(value)
