"""`bookbag pause`: stop putting things back for a while, so that a technician can work. Ends by itself, and
with a restart.
"""

from __future__ import annotations

import argparse

from agent.cli import _terminal as terminal
from agent.cli._arguments import duration, layout_of
from agent.cli._reply import show
from agent.client import Client
from agent.core.errors import BookbagError

SUMMARY = "stop putting things back for a while (root; 8 hours at most)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For how long, and why."""
    parser.add_argument(
        "--for", dest="seconds", type=duration, metavar="TIME", help="how long: 30m, 2h; 8h at most"
    )
    parser.add_argument("--reason", help="why; kept in the ledger and shown in the status")
    parser.add_argument("--end", action="store_true", help="end a pause now")


def run(args: argparse.Namespace) -> int:
    """Begin or end a pause."""
    client = Client(layout_of(args))
    if args.end:
        return show(args, client.resume(), lambda _: "the pause is over")
    if not args.seconds or not args.reason:
        raise BookbagError(
            "bad-argument",
            "cannot pause without knowing how long and why",
            remedy="use: bookbag pause --for 30m --reason TEXT",
        )
    return show(args, client.pause(args.seconds, args.reason), text)


def text(result: dict[str, object]) -> str:
    """What was begun."""
    pause = result.get("pause")
    left = pause.get("left_s") if isinstance(pause, dict) else None
    return f"paused for {terminal.span(left)}: nothing is put back until then, or until a restart"
