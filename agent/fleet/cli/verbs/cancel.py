"""Call an order off: by its id, or by the name of the laptop that is to be erased.

Works as long as the laptop has not begun, also when the order has not arrived yet.
"""

from __future__ import annotations

import argparse

from agent.fleet import orders
from agent.fleet.cli import giving
from agent.fleet.cli.context import Context
from agent.fleet.orders import Wish

HELP = "call an order off before it is carried out"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which order."""
    parser.add_argument("order", metavar="ID|NAME", help="the order's id, or the laptop that is to be wiped")
    giving.add_order(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign the cancellation."""
    folder = context.folder
    found = orders.find(folder, args.order)
    context.console.say(f"Calls off: {found.kind} {found.laptop} (order {found.id})")
    wish = Wish("cancel", {"id": found.id}, args.reason, life=orders.CANCELLED)
    return giving.give(args, context, [folder.device(found.laptop)], lambda now: wish)
