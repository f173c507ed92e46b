"""packages_fetch: fetches the files of packages that root listed. An own user, on the network, without any
right but to one folder; root compares every byte with what the sources' keys signed.
"""

from __future__ import annotations

from agent.core import exit_codes
from agent.daemon import hours
from agent.daemon.worker import Context

#: Bytes a second where policy does not say: half of a line of 2 Mbit/s.
RATE = 128 << 10


def run(context: Context) -> int:
    """Exit 1 if something is missing and nothing new is there."""
    from agent.host.linux.package_fetch import fetch

    rate = hours.decided(context.layout).get("content_rate", 0) or RATE
    fetched, missing, why = fetch(context.layout.packages, rate)
    context.result({"fetched": fetched, "missing": missing, "why": why})
    return 1 if missing and not fetched else exit_codes.IN_SYNC
