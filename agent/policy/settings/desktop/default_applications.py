"""desktop.default-applications: which program opens what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.default_applications import PROGRAM, USES, DefaultApplications
from agent.policy.syntax.values import Key, Record, Text, Type

_PROGRAM = Text(
    most=120, pattern=PROGRAM, what="the name of a program's desktop file, such as org.gnome.Evince.desktop"
)


class DesktopDefaultApplications(Setting):
    """A program that is not installed is passed over, and a person's own choice comes first."""

    key: ClassVar[str] = "desktop.default-applications"
    about: ClassVar[str] = (
        "Which program opens what, by the names of their desktop files in /usr/share/applications; what "
        "is not named stays as it was. It is /etc/xdg/mimeapps.list, which GNOME and others read. A "
        "default: whoever uses the laptop can choose another program."
    )
    value: ClassVar[Type] = Record({use: Key(_PROGRAM) for use in USES}, what="a mapping")
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "Your school chose which program opens what, so that a lesson looks the same for all. You "
        "can choose another.",
        "ar": "اختارت مدرستك البرنامج الذي يفتح كل نوع من الملفات ليكون الدرس واحدًا للجميع. "
        "ويمكنك اختيار غيره.",
    }
    example: ClassVar[str] = (
        "desktop.default-applications:\n  value: {web: chromium.desktop, pdf: org.gnome.Evince.desktop}"
    )

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, dict)  # noqa: S101
        return (DefaultApplications(value),)

    def show(self, value: object) -> str:
        return ", ".join(f"{use}: {one}" for use, one in value.items()) if isinstance(value, dict) else ""
