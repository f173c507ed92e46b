"""`bookbag ledger`: what was decided, done and refused on this laptop, and whether that record is whole."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Client

SUMMARY = "what was decided, done and refused here, newest first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much of it."""
    parser.add_argument(
        "--newest", type=int, default=50, metavar="N", help="how many entries, 500 at most (default 50)"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 4 if the chain is broken."""
    return show(args, Client(layout_of(args)).ledger(args.newest), text)


def text(result: dict[str, object]) -> str:
    """The entries for people."""
    rows = []
    entries = result.get("entries")
    for one in entries if isinstance(entries, list) else []:
        at = one.get("at", 0)
        when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") if at else "?"
        rows.append((when, *(str(one.get(name, "")) for name in ("kind", "subject", "outcome", "message"))))
    broken = result.get("broken")
    end = (
        "the chain holds" if broken is None else terminal.paint(f"the chain is broken at row {broken}", "red")
    )
    return "\n".join(filter(None, [terminal.table(rows), end]))
