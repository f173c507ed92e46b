"""accessibility.screen-reader: whether the screen is read aloud."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive, switch


class AccessibilityScreenReader(Assistive):
    """GNOME begins Orca, where it is installed."""

    key: ClassVar[str] = "accessibility.screen-reader"
    about: ClassVar[str] = "Whether the screen reader (Orca, which has to be installed) speaks from login on."
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = switch(
        "/org/gnome/desktop/a11y/applications/screen-reader-enabled"
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether the screen is read to you from login on was chosen for you. You can change it at "
        "any time.",
        "ar": "اختير لك هل تُقرأ الشاشة بصوت مسموع منذ الدخول. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.screen-reader: on"
