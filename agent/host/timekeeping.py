"""Time as the machine's own programs have it: who is asked for it, and in which zone it is told."""

from __future__ import annotations

import re
from typing import Protocol

from agent.core.errors import BookbagError

ZONES = "/usr/share/zoneinfo"
#: A place of the time zone database; none of its other names.
ZONE = (
    r"(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)"
    r"(/[A-Za-z0-9][A-Za-z0-9_+-]{0,40}){1,2}|Etc/UTC"
)


def check_zone(zone: str) -> None:
    """Raise ``bad-path`` for what is no name of a time zone."""
    if not re.fullmatch(ZONE, zone):
        raise BookbagError("bad-path", f"cannot use {zone[:60]!r}: that is no time zone")


class Timekeeping(Protocol):
    """Only asks. What is configured is a matter of files; this is what came of them."""

    def servers(self) -> tuple[str, ...]:
        """The time servers that the machine was told to ask, in their order, as systemd-timesyncd has them
        now; () if none. Raises ``not-supported`` if that does not run.
        """
        ...

    def has_zone(self, zone: str) -> bool:
        """Whether this machine knows the time zone ``zone``, such as ``Africa/Cairo``."""
        ...

    def tells(self, zone: str) -> bool:
        """Whether programs tell everybody who chose nothing else the time as in ``zone``, all year round."""
        ...
