"""desktop.favourites: the programs in the dock, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.syntax.values import ListOf, Text, Type

_PROGRAM = Text(
    most=120,
    pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*\.desktop",
    what="the name of a program's desktop file, such as chromium.desktop",
)


class DesktopFavourites(Setting):
    """GNOME leaves out what is not installed. The student can add none while the school decides."""

    key: ClassVar[str] = "desktop.favourites"
    about: ClassVar[str] = (
        "The programs in GNOME's dock, in order, by the names of their desktop files in "
        "/usr/share/applications. One that is not installed is left out; nobody can add to the list."
    )
    value: ClassVar[Type] = ListOf(_PROGRAM, most=20)
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "The dock is the same on every laptop of the class, so that all find a program in the "
        "same place.",
        "ar": "شريط البرامج واحد على كل حواسيب الصف ليجد الجميع كل برنامج في المكان نفسه.",
    }
    example: ClassVar[str] = "desktop.favourites: [chromium.desktop, org.gnome.Nautilus.desktop]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        listed = ", ".join(f"'{one}'" for one in value)
        return DconfProfile(), Dconf(
            group="favourites", values={"/org/gnome/shell/favorite-apps": f"[{listed}]"}
        )
