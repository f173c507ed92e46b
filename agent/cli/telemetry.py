"""`bookbag telemetry`: what this laptop tells the school of itself: figures, purposes, every byte last sent.

Anyone who uses the laptop may read all of it; nothing but making a report needs root.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.client import Client
from agent.core import exit_codes
from agent.core.layout import Layout
from agent.telemetry import view

SUMMARY = "what this laptop tells the school of itself, all of it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What of it."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--last", action="store_true", help="the reports that were sent last, every value")
    what.add_argument(
        "--raw", action="store_true", help="the bytes of the last request (protobuf); on a terminal in hex"
    )
    what.add_argument(
        "--fields", action="store_true", help="every figure that can be told, and what it is for"
    )
    what.add_argument("--now", action="store_true", help="make a report now and deliver it (root)")


def run(args: argparse.Namespace) -> int:
    """Show it; exit 1 if there is nothing of the kind."""
    layout = layout_of(args)
    if args.now:
        return _now(args, layout)
    if args.raw:
        return _raw(args, layout)
    if args.fields:
        return _shown(args, view.fields(layout), _fields)
    if args.last:
        return _shown(args, view.last(layout), _last)
    return _shown(args, view.overview(layout), _overview)


def _shown(
    args: argparse.Namespace, value: dict[str, object], text: Callable[[dict[str, object]], str]
) -> int:
    if args.json:
        terminal.print_json(value)
    else:
        print(text(value))
    return exit_codes.IN_SYNC


def _now(args: argparse.Namespace, layout: Layout) -> int:
    progress = terminal.Progress()
    answer = Client(layout).report(progress)
    progress.clear()
    for problem in answer.errors:
        terminal.fail(problem, as_json=args.json)
    if answer.errors:
        return exit_codes.COULD_NOT_RUN
    if answer.code == 0:
        return _shown(args, view.overview(layout), _overview)
    return answer.code


def _raw(args: argparse.Namespace, layout: Layout) -> int:
    signal, body = view.raw(layout)
    if args.json:
        terminal.print_json({"signal": signal, "hex": body.hex()})
    elif sys.stdout.isatty():
        print("\n".join(body[at : at + 32].hex(" ", 4) for at in range(0, len(body), 32)))
    else:
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), body)
    return exit_codes.IN_SYNC


def _overview(value: dict[str, object]) -> str:
    wanted = value["records"]
    assert isinstance(wanted, list)  # noqa: S101  # made by view
    rows = [("reports", ", ".join(wanted) or _why_none(value)), ("waiting", f"{value['waiting']}")]
    lost = value["dropped"]
    if isinstance(lost, dict) and lost:
        rows.append(("never sent", ", ".join(f"{count} {reason}" for reason, count in sorted(lost.items()))))
    sent = value["sent"]
    assert isinstance(sent, list)  # noqa: S101
    lines = ["\n".join(f"{name:<11}{terminal.plain(text)}" for name, text in rows)]
    if sent:
        lines.append("\nlast sent:\n" + terminal.table([_sent_row(one) for one in sent], indent="  "))
    lines.append(
        "\nwho decided it: `bookbag explain telemetry.records`; every value: `bookbag telemetry --last`"
    )
    return "\n".join(lines)


def _why_none(value: dict[str, object]) -> str:
    if value["decided"]:
        return "none: the school's policy has them off"
    return "none: no policy asks for any"


def _sent_row(one: dict[str, object]) -> tuple[str, str, str, str]:
    return (
        _when(one.get("at")),
        str(one.get("signal")),
        f"{one.get('bytes')} bytes",
        str(one.get("outcome")),
    )


def _fields(value: dict[str, object]) -> str:
    parts = []
    listed = value["records"]
    assert isinstance(listed, list)  # noqa: S101
    for record in listed:
        on = "on" if record["on"] else "off"
        head = f"{record['record']} ({on}): {record['about']}\n{record['purpose']}"
        kept = f"read by {record['audience']}; kept {record['retention_days']} days there"
        rows = [(one["field"], one["about"], one["form"]) for one in record["fields"]]
        parts.append(f"{head}\n{kept}\n{terminal.table(rows, indent='  ')}")
    return "\n\n".join(parts)


def _last(value: dict[str, object]) -> str:
    entries = value["sent"]
    assert isinstance(entries, list)  # noqa: S101
    if not entries:
        return "nothing was sent yet"
    parts = []
    for entry in entries:
        parts.append(f"{entry['signal']} to {entry['url']}, {_when(entry['at'])}: {entry['outcome']}")
        for report in entry["reports"]:
            rows = [
                (name, view.spelled(one)) for name, one in {**report["laptop"], **report["values"]}.items()
            ]
            parts.append(f"{report['record']} ({report['cause']})\n{terminal.table(rows, indent='  ')}")
    return "\n\n".join(parts)


def _when(at: object) -> str:
    if not isinstance(at, int) or at <= 0:
        return "?"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
