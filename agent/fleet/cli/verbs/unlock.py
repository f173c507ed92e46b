"""Unlock a laptop: everything that the lock closed is what it was before.

Where the laptop has no network, read its challenge to `answer` instead.
"""

from __future__ import annotations

import argparse

from agent.fleet.cli import giving
from agent.fleet.cli.context import Context
from agent.fleet.orders import Wish

HELP = "unlock laptops that reach the site; for others see answer"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which."""
    parser.add_argument("names", nargs="+", metavar="NAME")
    giving.add_order(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign the orders."""
    records = giving.chosen(context.folder, args.names)
    return giving.give(args, context, records, lambda now: Wish("unlock", {}, args.reason))
