"""erase: the same as `command`, in the one unit that may touch disks. Started only once an erasure is due."""

from __future__ import annotations

from agent.daemon import obeying
from agent.daemon.worker import Context


def run(context: Context) -> int:
    """Carry out what is due, erasures included."""
    return obeying.run(context, erasing=True)
