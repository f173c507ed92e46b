"""devices.microphone: whether sound can be recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.graded import BLOCKED, Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.recording import Recording


class DevicesMicrophone(Graded):
    """The devices of the kernel, beneath PipeWire and PulseAudio, which run as the person."""

    key: ClassVar[str] = "devices.microphone"
    about: ClassVar[str] = (
        "Whether programs can record sound: built in, from a cable, and from USB headsets and cameras. "
        "Sound goes on playing. Blocked, what is plugged in already works until it is plugged in anew, or "
        "the laptop starts again; dictation does not work. Bluetooth headsets are no sound devices of the "
        "kernel and are not reached. That the file is in place is known; whether udev obeyed is not "
        "asked."
    )
    powers: ClassVar[str] = Recording.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "Whether the microphone works is the school's decision, so that nobody is recorded without "
        "knowing.",
        "ar": "تقرّر المدرسة هل يعمل الميكروفون، حتى لا يُسجَّل صوت أحد دون علمه.",
    }
    example: ClassVar[str] = "devices.microphone: blocked"

    def compile(self, value: object) -> tuple[Resource, ...]:
        return (Recording(value == BLOCKED),)
