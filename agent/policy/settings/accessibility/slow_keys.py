"""accessibility.slow-keys: whether a key counts only when it is held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive, switch


class AccessibilitySlowKeys(Assistive):
    """How long it is held, GNOME says: 300 ms, and the student may change it."""

    key: ClassVar[str] = "accessibility.slow-keys"
    about: ClassVar[str] = (
        "Whether a key counts only once it has been held for a moment, so that keys that are touched by "
        "mistake do not."
    )
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = switch(
        "/org/gnome/desktop/a11y/keyboard/slowkeys-enable"
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether a key has to be held for a moment before it counts was chosen for you. You can "
        "change it at any time.",
        "ar": "اختير لك هل يجب إبقاء المفتاح مضغوطًا لحظةً حتى يُحسب. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.slow-keys: on"
