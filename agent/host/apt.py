"""How apt, and the programs that read its configuration, are set."""

from __future__ import annotations

import re
from typing import Protocol


class Apt(Protocol):
    """Only asks: what is configured is a matter of files."""

    def setting(self, name: str) -> tuple[str, ...]:
        """What apt has for ``name`` (``APT::Periodic::Enable``): its one value, or its list; () if nothing.
        Raises ``not-effective`` if its configuration cannot be read at all.
        """
        ...


def alone(name: str) -> str:
    """The pattern of one package's name, as apt's lists of what it does not remove have it."""
    return "^" + re.sub("([+.])", r"[\1]", name) + "$"
