"""accessibility.high-contrast: whether shapes stand out more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive, switch


class AccessibilityHighContrast(Assistive):
    """GNOME's own high contrast, also of older programs."""

    key: ClassVar[str] = "accessibility.high-contrast"
    about: ClassVar[str] = "Whether GNOME draws everything in high contrast."
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = switch(
        "/org/gnome/desktop/a11y/interface/high-contrast"
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "How strongly things stand out on the screen was chosen for you. You can change it at any "
        "time.",
        "ar": "اختيرت لك درجة وضوح الأشياء على الشاشة. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.high-contrast: on"
