"""devices.camera: whether the camera works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.closable import Closable


class DevicesCamera(Closable):
    """Those of laptops are USB devices inside."""

    key: ClassVar[str] = "devices.camera"
    about: ClassVar[str] = (
        "Whether USB cameras work, also those built in (the driver uvcvideo). Blocked, a camera that works "
        "already does so until the next start. Cameras of another kind (some tablets) are not reached."
    )
    device: ClassVar[str] = "camera"
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether the camera works is the school's decision, so that nobody is filmed without knowing.",
        "ar": "تقرّر المدرسة هل تعمل الكاميرا، حتى لا يُصوَّر أحد دون علمه.",
    }
    example: ClassVar[str] = "devices.camera: blocked"
