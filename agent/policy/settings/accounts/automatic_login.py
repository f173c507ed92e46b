"""accounts.automatic-login: whether a laptop that starts lets somebody in without asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.administration import NAME
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.ini_keys import GDM, IniKeys
from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Type, wrong

OFF = "off"


class _OffOrName:
    """off, or whose account it is."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if isinstance(node, Scalar) and node.value in (OFF, False):
            return OFF
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return NAME.read(node, problems)
        return wrong(self, node, problems)

    def describe(self) -> str:
        """See `Type`."""
        return f"off, or {NAME.describe()}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"anyOf": [{"enum": [OFF, False]}, NAME.schema()]}


class AccountsAutomaticLogin(Setting):
    """GDM's own two ways of it: at once, and after a while."""

    key: ClassVar[str] = "accounts.automatic-login"
    about: ClassVar[str] = (
        "Whether the login screen (GDM) lets somebody in without asking: off, or the account that a laptop "
        "opens by itself when it starts, as in a library. Off also ends the login that comes by itself after "
        "a while. It counts from the next start of the login screen. Debian's GDM has no guest account."
    )
    value: ClassVar[Type] = _OffOrName()
    merge: ClassVar[Merge] = Merge.REPLACE
    powers: ClassVar[str] = "whoever opens the laptop is let in (`off` takes one)"
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether the laptop opens without a password is the school's decision, so that what you keep "
        "here stays yours.",
        "ar": "تقرّر المدرسة هل يُفتح الحاسوب دون كلمة مرور، لتبقى أشياؤك لك.",
    }
    example: ClassVar[str] = "accounts.automatic-login: off"

    def compile(self, value: object) -> tuple[Resource, ...]:
        off = value == OFF
        values = {
            "daemon/AutomaticLogin": "" if off else str(value),
            "daemon/AutomaticLoginEnable": str(not off).lower(),
            "daemon/TimedLoginEnable": "false",
        }
        return (IniKeys(GDM, values),)

    def tighter(self, one: object, other: object) -> bool:
        return one == OFF and isinstance(other, str) and other != OFF

    def restricts(self, value: object) -> bool:
        return value == OFF
