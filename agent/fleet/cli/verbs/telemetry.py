"""What laptops reported of themselves: how each stands, or, with a name, its newest reports. Read-only.

Where `serve` takes reports, on the same machine. What is in a report, and what never is: docs/telemetry.md.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.fleet.cli.context import Context
from agent.telemetry.view import spelled

if TYPE_CHECKING:
    from agent.fleet.reports import ReportStore

HELP = "what laptops reported of themselves: settings, battery, disk, lock"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All laptops, or one."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one laptop: its reports, newest first")
    parser.add_argument("--newest", type=int, default=20, metavar="N", help="how many of them (default 20)")


def run(args: argparse.Namespace, context: Context) -> int:
    """0; 4 if something needs a look."""
    from agent.fleet.reports import open_existing

    store = open_existing(context.folder.reports)
    try:
        return _all(context, store) if args.name is None else _one(args, context, store)
    finally:
        if store is not None:
            store.close()


def _all(context: Context, store: ReportStore | None) -> int:
    from agent.fleet.reported import HEAD, standings

    folder, console, now = context.folder, context.console, context.now()
    found = standings(folder, folder.devices(), store, now)
    console.table([(one.name, *one.cells()) for one in found], head=["laptop", *HEAD])
    if store is None:
        console.say("No report ever came. Laptops report when policy names telemetry.records.")
    console.result({"laptops": [one.to_dict() for one in found], "at": now})
    return exit_codes.FAILED if any(one.looks for one in found) else exit_codes.IN_SYNC


def _one(args: argparse.Namespace, context: Context, store: ReportStore | None) -> int:
    from datetime import UTC, datetime

    from agent.trust.identity import installation_id

    folder, console = context.folder, context.console
    device = folder.device(args.name)
    installation = installation_id(folder.site().site, device.device) if device.device else ""
    rows = store.of(installation, max(1, min(args.newest, 1000))) if store and installation else []
    for one in rows:
        when = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M")
        console.say(f"{when} {one.record} ({one.cause})", "bold")
        console.table([(f"  {name}", spelled(value)) for name, value in one.values.items()])
    if not rows:
        console.say(f"{args.name} has not reported.")
    told = [{"record": one.record, **one.to_dict()} for one in rows]
    console.result({"name": args.name, "installation": installation, "reports": told})
    return exit_codes.IN_SYNC
