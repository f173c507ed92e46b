"""Whom a policy is for: lists are OR, keys are AND. What a device is comes from its signed assignment
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: From the farthest to the nearest; a later one speaks after an earlier one.
RANKS = ("ministry", "district", "school", "year", "class", "device")
KEYS = ("school", "year", "class", "device")
#: A rank that speaks for a few must say for which.
NARROW = frozenset(("year", "class", "device"))


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What the site's signed word says about one laptop; ``""`` where it says nothing."""

    site: str
    device: str  #: 32 hex
    school: str = ""
    year: str = ""
    class_: str = ""
    name: str = ""  #: the name IT gave it

    def value_of(self, key: str) -> tuple[str, ...]:
        """What ``key`` of applies-to is compared with."""
        match key:
            case "device":
                return (self.device, self.name) if self.name else (self.device,)
            case "class":
                return (self.class_,)
            case "school":
                return (self.school,)
            case "year":
                return (self.year,)
        return ()


def meant(applies_to: Mapping[str, tuple[str, ...]], device: DeviceFacts) -> bool:
    """Whether a policy with this ``applies-to`` is for ``device``. An empty one is for every device of
    the site.
    """
    return all(
        any(mine and mine in wanted for mine in device.value_of(key)) for key, wanted in applies_to.items()
    )
