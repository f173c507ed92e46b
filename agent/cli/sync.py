"""`bookbag sync`: look for news now, at the school's hosts or on a stick, and put it in force."""

from __future__ import annotations

import argparse
import os

from agent.cli import _changes
from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Client

SUMMARY = "look for news now, at the school's hosts or on a stick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from."""
    parser.add_argument(
        "--from", dest="folder", metavar="DIR", help="take it from this folder: a stick, a copy of the site"
    )


def run(args: argparse.Namespace) -> int:
    """One round, and the enforcement of what it brought."""
    progress = terminal.Progress()
    answer = Client(layout_of(args)).sync(os.path.realpath(args.folder) if args.folder else None, progress)
    progress.clear()
    return show(args, answer, text)


def text(result: dict[str, object]) -> str:
    """The round for people."""
    source = terminal.plain(result.get("source", ""))
    lines = [f"{'news' if result.get('news') else 'nothing new'} from {source}"] if source else []
    for what, key in (
        ("delivered", "delivered"),
        ("refused, for its token was used before", "already"),
        ("left on the stick", "left"),
    ):
        names = result.get(key)
        if isinstance(names, list) and names:
            lines.append(f"{what}: {terminal.plain(', '.join(map(str, names)))}")
    if "outcomes" in result:
        lines.append(_changes.outcomes(result))
    return "\n".join(lines)
