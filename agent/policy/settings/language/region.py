"""language.region: how dates, numbers, money and measures are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import defaults
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import LOCALE
from agent.policy.syntax.values import Text, Type


class LanguageRegion(Setting):
    """GNOME reads it when a session begins, and sets the formats, never the language."""

    key: ClassVar[str] = "language.region"
    about: ClassVar[str] = (
        "The locale in which GNOME writes dates, numbers, money, measures and paper sizes, from the next "
        "login on; it has to be generated on the laptop (`locale -a`). The language itself is not "
        "touched. A default: whoever uses the laptop can change it."
    )
    value: ClassVar[Type] = Text(
        most=40, pattern=LOCALE, what="the name of a UTF-8 locale, such as ar_EG.UTF-8"
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    arrangeable: ClassVar[bool] = True
    why: ClassVar[Mapping[str, str]] = {
        "en": "Dates and numbers are written on every laptop as in your lessons. You can change it.",
        "ar": "تُكتب التواريخ والأرقام على كل الحواسيب كما في دروسك. ويمكنك تغيير ذلك.",
    }
    example: ClassVar[str] = "language.region: ar_EG.UTF-8"

    def compile(self, value: object) -> tuple[Resource, ...]:
        return defaults(self.key, {"/system/locale/region": f"'{value}'"})
