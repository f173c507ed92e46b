"""desktop.removable-writing: whether files can be written to a stick or card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.lockdown import Lockdown


class DesktopRemovableWriting(Lockdown):
    """GNOME's lockdown key; what is there already stays as it was made ready."""

    key: ClassVar[str] = "desktop.removable-writing"
    about: ClassVar[str] = (
        "Whether the desktop makes sticks and cards ready for writing, from the next one that is put in. "
        "It is a fence, no wall."
    )
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether work can be carried off on a stick is the school's decision, as in an exam. "
        "Reading from one is not touched.",
        "ar": "تقرّر المدرسة هل يمكن نقل العمل على ذاكرة، كما في الامتحان. أما القراءة منها فلا يمسّها ذلك.",
    }
    example: ClassVar[str] = "desktop.removable-writing: blocked"
    switch: ClassVar[str] = "mount-removable-storage-devices-as-read-only"
