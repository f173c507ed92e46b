"""input.layouts: the keyboard layouts and input methods there are, the first one first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import defaults
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import LAYOUT, METHOD
from agent.policy.syntax.values import ListOf, Text, Type

_IBUS = "ibus:"
_LAYOUT = Text(
    most=80,
    pattern=f"{LAYOUT}|{_IBUS}{METHOD}",
    what="the name of an XKB layout, with its variant if it has one, such as ara or fr+oss, or ibus: and the "
    "name of an input method, such as ibus:libpinyin",
)


class InputLayouts(Setting):
    """A keyboard that somebody needs and the school did not think of is theirs to add: so it is a default."""

    key: ClassVar[str] = "input.layouts"
    about: ClassVar[str] = (
        "The keyboard layouts and input methods that GNOME offers, in order, the first one at login: layouts "
        "by their names in /usr/share/X11/xkb/rules/base.lst, input methods as `ibus:` and the name that "
        "`ibus list-engine` has, of packages such as ibus-libpinyin (`software.packages`). One that is not "
        "there is left out. A default: whoever uses the laptop can add others. The login screen has the "
        "machine's own layout."
    )
    value: ClassVar[Type] = ListOf(_LAYOUT, most=4)
    merge: ClassVar[Merge] = Merge.REPLACE
    arrangeable: ClassVar[bool] = True
    why: ClassVar[Mapping[str, str]] = {
        "en": "The keyboard layouts of your lessons are there from login on. You can add others.",
        "ar": "تخطيطات لوحة المفاتيح التي تحتاجها دروسك متاحة منذ الدخول، ويمكنك إضافة غيرها.",
    }
    example: ClassVar[str] = "input.layouts: [ara, us, fr+oss]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        sources = ", ".join(map(_source, value))
        return defaults(self.key, {"/org/gnome/desktop/input-sources/sources": f"[{sources}]"})


def _source(entry: str) -> str:
    """As GNOME writes it."""
    method = entry.removeprefix(_IBUS)
    return f"('xkb', '{entry}')" if method == entry else f"('ibus', '{method}')"
