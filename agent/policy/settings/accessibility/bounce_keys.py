"""accessibility.bounce-keys: whether a key that is struck twice at once counts once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive, switch


class AccessibilityBounceKeys(Assistive):
    """How soon is too soon, GNOME says: 300 ms, and the student may change it."""

    key: ClassVar[str] = "accessibility.bounce-keys"
    about: ClassVar[str] = (
        "Whether a key that is struck again at once counts only the first time, as a trembling hand needs it."
    )
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = switch(
        "/org/gnome/desktop/a11y/keyboard/bouncekeys-enable"
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether a key that is struck twice in quick succession counts once was chosen for you. "
        "You can change it at any time.",
        "ar": "اختير لك هل تُحسب الضغطتان السريعتان على المفتاح ضغطةً واحدة. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.bounce-keys: on"
