"""desktop.night-light: whether the screen is warmer at night."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.offered import OFF, ON, Offered

_COLOUR = "/org/gnome/settings-daemon/plugins/color/night-light"


class DesktopNightLight(Offered):
    """By the clock, which asks nobody where they are."""

    key: ClassVar[str] = "desktop.night-light"
    about: ClassVar[str] = (
        "Whether GNOME takes blue light from the screen from 20:00 to 6:00 (by the clock, not by the "
        "place). A default: whoever uses the laptop can change it."
    )
    arrangeable: ClassVar[bool] = True
    sets: ClassVar[Mapping[str, Mapping[str, str]]] = {
        ON: {
            f"{_COLOUR}-enabled": "true",
            f"{_COLOUR}-schedule-automatic": "false",
            f"{_COLOUR}-schedule-from": "20.0",
            f"{_COLOUR}-schedule-to": "6.0",
        },
        OFF: {f"{_COLOUR}-enabled": "false"},
    }
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether the screen turns warmer at night, which rests the eyes, was chosen by the school. "
        "You can change it.",
        "ar": "اختارت المدرسة هل تصبح الشاشة أدفأ لونًا ليلًا لراحة العين. ويمكنك تغييره.",
    }
    example: ClassVar[str] = "desktop.night-light: on"
