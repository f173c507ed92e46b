"""flatpaks_fetch: brings what root listed into flatpak's repository. On the network, and without any right
but to write there and to say how it went; installs nothing.
"""

from __future__ import annotations

from agent.core import exit_codes
from agent.daemon.worker import Context


def run(context: Context) -> int:
    """Exit 1 if nothing came."""
    from agent.host.linux.flatpak_fetch import fetch
    from agent.host.linux.flatpak_tree import FlatpakTree

    said = fetch(context.layout.flatpaks, FlatpakTree())
    context.result({"said": dict(said)})
    return 1 if all(said.values()) else exit_codes.IN_SYNC
