"""accessibility.sticky-keys: whether keys can be pressed one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import Assistive, switch


class AccessibilityStickyKeys(Assistive):
    """As shift, then a: a capital letter."""

    key: ClassVar[str] = "accessibility.sticky-keys"
    about: ClassVar[str] = (
        "Whether keys that belong together, such as Shift and a letter, can be pressed one after the other."
    )
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = switch(
        "/org/gnome/desktop/a11y/keyboard/stickykeys-enable"
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether keys can be pressed one after the other instead of together was chosen for you. "
        "You can change it at any time.",
        "ar": "اختير لك هل تُضغط المفاتيح واحدًا بعد آخر بدل ضغطها معًا. ويمكنك تغييره في أي وقت.",
    }
    example: ClassVar[str] = "accessibility.sticky-keys: on"
