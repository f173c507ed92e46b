"""Say something to whoever uses a laptop: shown in its portal and on a locked screen, until it is out of
date."""

from __future__ import annotations

import argparse

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.cli import giving
from agent.fleet.cli.context import Context
from agent.fleet.orders import Wish

HELP = "say something to laptops, by name or by class"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """To whom, and what."""
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--to", nargs="+", default=[], metavar="school=… year=… class=…", help="by group")
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="[LANG=]TEXT",
        required=True,
        help="what it says; may be given for several languages",
    )
    parser.add_argument("--days", type=int, default=7, help="for how long it is shown (1 to 7)")
    giving.add_order(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign the orders."""
    if not 1 <= args.days <= 7:
        raise BookbagError("bad-argument", f"cannot show a message for {args.days} days", remedy="use 1 to 7")
    text = giving.texts(args.text, context.folder.site().languages)
    records = giving.chosen(context.folder, args.names, args.to)
    order = Wish("message", {"text": text}, args.reason, life=args.days * DAY)
    return giving.give(args, context, records, lambda now: order)
