"""accessibility.on-screen-keyboard: whether there are keys on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive, switch


class AccessibilityOnScreenKeyboard(Assistive):
    """GNOME's own; it comes up where text is expected."""

    key: ClassVar[str] = "accessibility.on-screen-keyboard"
    about: ClassVar[str] = "Whether GNOME shows a keyboard on the screen wherever text can be written."
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = switch(
        "/org/gnome/desktop/a11y/applications/screen-keyboard-enabled"
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether a keyboard shows on the screen when you write was chosen for you. You can change "
        "it at any time.",
        "ar": "اختير لك هل تظهر لوحة مفاتيح على الشاشة عند الكتابة. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.on-screen-keyboard: on"
