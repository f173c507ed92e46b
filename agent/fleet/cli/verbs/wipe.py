"""Erase a laptop for good: what opens its encrypted disk is destroyed. Two persons must sign; nobody can undo
it.

It begins after a grace of at least four hours, in which any one person can call it off with `cancel`.
"""

from __future__ import annotations

import argparse
import sys

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.cli import giving
from agent.fleet.cli.context import Context
from agent.fleet.orders import Wish
from agent.trust import floors

HELP = "erase one laptop for good; two persons must sign"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One laptop."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "--grace",
        type=giving.seconds,
        default=floors.GRACE,
        metavar="TIME",
        help="how long it can be called off, such as 8h (4h at least; 0m once locked as lost for a day)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask to type the laptop's name")
    giving.add_order(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign the order, after the name was typed."""
    life = floors.floor("wipe").life
    if args.grace >= life:
        raise BookbagError("bad-argument", f"cannot wait longer than {life // DAY} days")
    if not args.reason:
        raise BookbagError(
            "bad-argument", "cannot erase a laptop without a reason", remedy="say --reason WHY"
        )
    records = giving.chosen(context.folder, [args.name])
    if not args.yes:
        _confirm(args.name, context)
    order = Wish("wipe", {}, args.reason, life=life, grace_s=args.grace)
    return giving.give(args, context, records, lambda now: order)


def _confirm(name: str, context: Context) -> None:
    if not sys.stdin.isatty():
        raise BookbagError("bad-argument", "cannot ask whether you are sure", remedy="say --yes")
    context.console.say(
        f"Everything on {name} will be gone for good. Type its name to go on: ", "bad", end=""
    )
    context.console.flush()
    if sys.stdin.readline().strip() != name:
        raise BookbagError("bad-argument", "cannot erase it: that was another name")
