"""`bookbag apply`: make this laptop as decided now, even while it is paused."""

from __future__ import annotations

import argparse

from agent.cli import _changes
from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Client

SUMMARY = "make this laptop as decided, now"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which plan."""
    parser.add_argument(
        "--plan", metavar="HASH", default="", help="only if the laptop has not moved since that plan"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0: nothing to do; 2: changes made; 4: trouble; 1: the plan is outdated."""
    progress = terminal.Progress()
    answer = Client(layout_of(args)).apply(args.plan, progress)
    progress.clear()
    return show(args, answer, _changes.outcomes)
