"""accessibility.cursor-size: how large the pointer is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive

_PIXELS = "/org/gnome/desktop/interface/cursor-size"


class AccessibilityCursorSize(Assistive):
    """The sizes that GNOME's own settings offer, in pixels."""

    key: ClassVar[str] = "accessibility.cursor-size"
    about: ClassVar[str] = (
        "How large the pointer is: the five sizes that GNOME offers (24, 32, 48, 64 and 96 pixels)."
    )
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "standard": {_PIXELS: "24"},
        "medium": {_PIXELS: "32"},
        "large": {_PIXELS: "48"},
        "larger": {_PIXELS: "64"},
        "largest": {_PIXELS: "96"},
    }
    why: ClassVar[Mapping[str, str]] = {
        "en": "How large the pointer is was chosen for you. You can change it at any time.",
        "ar": "اختير لك حجم المؤشر. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.cursor-size: large"
