"""command: carry out what persons ordered this laptop to do. Root; no network. What destroys data is left to
`erase`."""

from __future__ import annotations

from agent.daemon import obeying
from agent.daemon.worker import Context


def run(context: Context) -> int:
    """Do the request's ``op``: ``obey`` or ``unlock``; returns the exit code."""
    return obeying.run(context, erasing=False)
