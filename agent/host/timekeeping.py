"""Time as the machine's own programs have it: who is asked for it, and in which zone it is told."""

from __future__ import annotations

from typing import Protocol


class Timekeeping(Protocol):
    """Only asks. What is configured is a matter of files; this is what came of them."""

    def servers(self) -> tuple[str, ...]:
        """The time servers that the machine was told to ask, in their order, as systemd-timesyncd has them
        now; () if none. Raises ``not-supported`` if that does not run.
        """
        ...

    def zone(self) -> str:
        """The time zone of everybody who chose no other, such as ``Africa/Cairo``; "" if it is not known."""
        ...
