"""accessibility.magnifier: whether the screen is magnified, and how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive

_ENABLED = "/org/gnome/desktop/a11y/applications/screen-magnifier-enabled"
_FACTOR = "/org/gnome/desktop/a11y/magnifier/mag-factor"


class AccessibilityMagnifier(Assistive):
    """Switched off, the factor is left to whoever switches it on."""

    key: ClassVar[str] = "accessibility.magnifier"
    about: ClassVar[str] = "Whether GNOME magnifies the screen from login on, and how many times."
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "off": {_ENABLED: "false"},
        "2x": {_ENABLED: "true", _FACTOR: "2.0"},
        "3x": {_ENABLED: "true", _FACTOR: "3.0"},
        "4x": {_ENABLED: "true", _FACTOR: "4.0"},
        "6x": {_ENABLED: "true", _FACTOR: "6.0"},
    }
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether the screen is magnified from login on was chosen for you. You can change it at "
        "any time.",
        "ar": "اختير لك هل تُكبَّر الشاشة منذ الدخول. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.magnifier: 3x"
