"""The switches of the running kernel, named as in sysctl.conf: ``net.ipv4.ip_forward``."""

from __future__ import annotations

import re
from typing import Protocol

from agent.core.errors import BookbagError

#: Lower case but for what interfaces may be called; no slash and no dots beside each other lead elsewhere.
SWITCH = r"[a-z][a-z0-9_]{1,30}(\.[A-Za-z0-9_-]{1,60}){1,6}"
#: Numbers and words; several are one space apart.
SETTING = r"[A-Za-z0-9_:,./+-]{1,64}( [A-Za-z0-9_:,./+-]{1,64}){0,15}"


class Kernel(Protocol):
    """What it is set to now, until the next start."""

    def value(self, switch: str) -> str | None:
        """How it stands, in words one space apart; None if this kernel has no such switch, or hides it."""
        ...

    def set(self, switch: str, value: str) -> None:
        """Set it now. Raises ``not-effective`` if the kernel does not take it."""
        ...


def check_switch(switch: str) -> None:
    """Raise ``bad-path`` for what is no name of a switch."""
    if not re.fullmatch(SWITCH, switch):
        raise BookbagError("bad-path", f"cannot ask for {switch[:60]!r}: that is no switch of a kernel")


def check_value(value: str) -> None:
    """Raise ``bad-path`` for what is no value of one."""
    if not re.fullmatch(SETTING, value):
        raise BookbagError("bad-path", f"cannot set a switch of the kernel to {value[:60]!r}")
