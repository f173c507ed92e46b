"""`bookbag unlock`: open this laptop with the code that the school answers to its challenge. Works without a
network; wrong codes are looked at ever more slowly.
"""

from __future__ import annotations

import argparse
import json

from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Client
from agent.core.layout import Layout

SUMMARY = "open this locked laptop with a code from the school"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The code; without it, what to ask the school."""
    parser.add_argument(
        "code", nargs="*", metavar="CODE", help="ten letters and digits; spaces do not matter"
    )


def run(args: argparse.Namespace) -> int:
    """0 if it is open now, 4 if the code was refused."""
    layout = layout_of(args)
    if not args.code:
        print(challenge(layout))
        return 0
    answer = Client(layout).unlock(" ".join(args.code))
    return show(args, answer, lambda _: "" if answer.code else "this laptop is open again")


def challenge(layout: Layout) -> str:
    """What to read out to the school."""
    try:
        with open(f"{layout.public}/lock.json", "rb") as file:
            notice = json.load(file)
    except (OSError, ValueError):
        notice = {}
    if not isinstance(notice, dict) or not notice.get("locked"):
        return "This laptop is not locked."
    return f"This laptop is locked. Read this to the school: {notice.get('challenge', '')}"
