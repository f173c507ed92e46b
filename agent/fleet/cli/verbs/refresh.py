"""Sign the online roles again (timestamp, and snapshot and mail when half their life is over): no person's
key is needed.

`serve` does this by itself; a site published elsewhere runs it from a timer.
"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.fleet.cli.context import Context

HELP = "make what is published fresh again, with the online keys only"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing of its own."""


def run(args: argparse.Namespace, context: Context) -> int:
    """Refresh."""
    from agent.core.clock import day
    from agent.fleet import freshness

    outcome, expires = freshness.refresh(context.folder, context.now())
    context.console.say(f"Fresh until {day(expires)} (timestamp {outcome.timestamp}).", "good")
    context.console.result(
        {"timestamp": outcome.timestamp, "published": list(outcome.roles), "expires": expires}
    )
    return exit_codes.IN_SYNC
