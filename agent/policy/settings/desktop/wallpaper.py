"""desktop.wallpaper: what the desktop shows behind the windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import BACKGROUNDS, Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.syntax.values import Text, Type

_KEYS = "/org/gnome/desktop/background"


class DesktopWallpaper(Setting):
    """The same by day and in the dark style. Where the picture is not there, GNOME shows a colour."""

    key: ClassVar[str] = "desktop.wallpaper"
    about: ClassVar[str] = (
        "The picture behind the windows (GNOME), a file below /usr/share/backgrounds, or one colour. A "
        "`file` below /usr/share/backgrounds/bookbag can bring an SVG picture along; others are "
        "installed with the laptop. Nobody can change it."
    )
    value: ClassVar[Type] = Text(
        most=200,
        pattern=f"{BACKGROUNDS}|#[0-9a-f]{{6}}",
        what='the path of a picture below /usr/share/backgrounds, or a quoted colour such as "#336699"',
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "What shows behind the windows is the school's choice, so that everybody sees whose "
        "laptop it is.",
        "ar": "خلفية الشاشة من اختيار المدرسة ليُعرف لمن هذا الحاسوب.",
    }
    example: ClassVar[str] = 'desktop.wallpaper: "#336699"'

    def compile(self, value: object) -> tuple[Resource, ...]:
        plain = str(value).startswith("#")
        picture = "''" if plain else f"'file://{value}'"
        values = {
            f"{_KEYS}/picture-options": "'none'" if plain else "'zoom'",
            f"{_KEYS}/picture-uri": picture,
            f"{_KEYS}/picture-uri-dark": picture,
        }
        if plain:
            values |= {f"{_KEYS}/primary-color": f"'{value}'", f"{_KEYS}/color-shading-type": "'solid'"}
        return DconfProfile(), Dconf(group="wallpaper", values=values)
