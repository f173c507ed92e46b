"""Lock a laptop: nobody gets in until you unlock it, or somebody enters the code that `answer` gives.

One person's signature is enough for a few laptops a day; beyond that laptops ask for a second one.
"""

from __future__ import annotations

import argparse

from agent.fleet.cli import giving
from agent.fleet.cli.context import Context
from agent.fleet.orders import Wish

HELP = "lock laptops, with words for whoever finds them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and what their screens say."""
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument(
        "--message",
        metavar="[LANG=]TEXT",
        action="append",
        default=[],
        help="what the locked screen says; may be given for several languages",
    )
    parser.add_argument("--contact", default="", help="whom to ask: shown on the locked screen")
    parser.add_argument(
        "--lost",
        action="store_true",
        help="it is not where it should be: after a day it can be wiped at once",
    )
    giving.add_order(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign the orders."""
    languages = context.folder.site().languages
    order: dict[str, object] = {
        "message": giving.texts(args.message, languages),
        "contact": args.contact[:200],
        "lost": args.lost,
    }
    records = giving.chosen(context.folder, args.names)
    return giving.give(args, context, records, lambda now: Wish("lock", order, args.reason))
