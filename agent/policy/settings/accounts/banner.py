"""accounts.banner: what the login screen and the consoles say before anybody is in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.file import File
from agent.policy.resources.ini_keys import GREETER, IniKeys
from agent.policy.syntax.values import Text, Type


class AccountsBanner(Setting):
    """One text, shown by GDM above the list of users and by the consoles above their question."""

    key: ClassVar[str] = "accounts.banner"
    about: ClassVar[str] = (
        "A sentence on the login screen (GDM) and on the text consoles, such as whose laptop it is and whom "
        "to call when it is found. The login screen has it from its next start."
    )
    value: ClassVar[Type] = Text(
        # (Tests of policies say "not set" where there is none.)
        most=300,
        pattern=r"(?!not set$)[^\\\x00-\x1f\x7f-\x9f]+",
        what="a sentence without backslash",
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "The school says on the login screen what everybody should know who finds this laptop.",
        "ar": "تكتب المدرسة على شاشة الدخول ما ينبغي أن يعرفه كل من يجد هذا الحاسوب.",
    }
    example: ClassVar[str] = 'accounts.banner: "Property of North High. Found it? Call 555 0100"'

    def compile(self, value: object) -> tuple[Resource, ...]:
        quoted = '"' + str(value).replace('"', r"\"") + '"'
        folder = "org/gnome/login-screen"
        values = {f"{folder}/banner-message-enable": "true", f"{folder}/banner-message-text": quoted}
        return IniKeys(GREETER, values), File(path="/etc/issue", content=f"{value}\n\n")
