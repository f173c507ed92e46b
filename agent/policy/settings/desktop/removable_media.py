"""desktop.removable-media: what happens when a stick or card is put in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile


class DesktopRemovableMedia(Graded):
    """GNOME's media handling. Programs on a stick are never begun by themselves, whatever is chosen."""

    key: ClassVar[str] = "desktop.removable-media"
    about: ClassVar[str] = (
        "What GNOME does with a stick or card that is put in: open it, only make it ready, or nothing. "
        "Whatever is chosen, no program on it starts by itself."
    )
    words: ClassVar[tuple[str, ...]] = ("opened", "ready", "ignored")
    why: ClassVar[Mapping[str, str]] = {
        "en": "What is on a stranger's stick can do harm, so the school decides what happens when one "
        "is put in.",
        "ar": "ما على ذاكرة غريبة قد يضر، لذا تقرّر المدرسة ما يحدث عند وصلها.",
    }
    example: ClassVar[str] = "desktop.removable-media: ready"

    def compile(self, value: object) -> tuple[Resource, ...]:
        values = {
            "/org/gnome/desktop/media-handling/automount": str(value != "ignored").lower(),
            "/org/gnome/desktop/media-handling/automount-open": str(value == "opened").lower(),
            "/org/gnome/desktop/media-handling/autorun-never": "true",
        }
        return DconfProfile(), Dconf(group="removable-media", values=values)
