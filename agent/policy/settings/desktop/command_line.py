"""desktop.command-line: whether the desktop offers a command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.lockdown import Lockdown


class DesktopCommandLine(Lockdown):
    """GNOME's lockdown key: the dialogue behind Alt+F2, and terminals that ask for it."""

    key: ClassVar[str] = "desktop.command-line"
    about: ClassVar[str] = (
        "Whether GNOME offers to type commands (Alt+F2, terminals that honour it). It is a fence, no wall."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Typed commands can undo a lot, so the school decides who has them. If you learn "
        "programming, ask.",
        "ar": "الأوامر المكتوبة قد تُفسد الكثير، لذا تقرّر المدرسة من يستخدمها. إن كنت تتعلم البرمجة فاسأل.",
    }
    example: ClassVar[str] = "desktop.command-line: blocked"
    switch: ClassVar[str] = "disable-command-line"
