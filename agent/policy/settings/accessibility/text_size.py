"""accessibility.text-size: how large text is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive

_FACTOR = "/org/gnome/desktop/interface/text-scaling-factor"


class AccessibilityTextSize(Assistive):
    """What is not made of text stays as large as it is."""

    key: ClassVar[str] = "accessibility.text-size"
    about: ClassVar[str] = (
        "How large text is, as a factor of 1, 1.25, 1.5 or 2. GNOME's switch Large Text, turned off, "
        "leads back to the size that is chosen here; another size is chosen in Tweaks, or here."
    )
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "standard": {_FACTOR: "1.0"},
        "large": {_FACTOR: "1.25"},
        "larger": {_FACTOR: "1.5"},
        "largest": {_FACTOR: "2.0"},
    }
    why: ClassVar[Mapping[str, str]] = {
        "en": "How large text is was chosen for you. It is yours to change; ask if you do not find where.",
        "ar": "اختير لك حجم النص. ولك أن تغيّره؛ اسأل إن لم تجد أين.",
    }
    example: ClassVar[str] = "accessibility.text-size: larger"
