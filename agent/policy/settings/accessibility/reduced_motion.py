"""accessibility.reduced-motion: whether things move on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive

_ANIMATED = "/org/gnome/desktop/interface/enable-animations"


class AccessibilityReducedMotion(Assistive):
    """GNOME asks the other way round: whether to animate."""

    key: ClassVar[str] = "accessibility.reduced-motion"
    about: ClassVar[str] = "Whether GNOME, and pages that ask for it, leave out animations."
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "on": {_ANIMATED: "false"},
        "off": {_ANIMATED: "true"},
    }
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether things move on the screen as they open and close was chosen for you. You can "
        "change it at any time.",
        "ar": "اختير لك هل تتحرك الأشياء على الشاشة عند فتحها وإغلاقها. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.reduced-motion: on"
