"""Laptops: make one-time enrol files, for one or for a whole list; list them, see which enrolments came back
and whether they hold.

A list is CSV as a spreadsheet saves it: a header row with the columns name, serial, school, year, class in
any order, of which only name must be there, and one row for each laptop. It can be given again: enrol files
that are made and unused stay as they are.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet import invitations, orders
from agent.fleet.cli.context import Context, add_signing
from agent.fleet.enrolments import Enrolments, Pending, waiting
from agent.fleet.folder import replace
from agent.fleet.laptoplist import read_list
from agent.fleet.records import DeviceRecord

#: What is said of rows that need no enrol file.
_CAME: dict[invitations.Came, str] = {
    "kept": "have an unused enrol file already; it stays as it is",
    "pending": "came back: see bookbag-fleet device --as YOU",
    "assigned": "are assigned already; to enrol one anew: bookbag-fleet device NAME",
    "retired": "are retired; to take one back: bookbag-fleet device NAME",
}
HELP = "make enrol files for one laptop or a list of them; list laptops and pending enrolments"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """With a name or a list: new one-time enrol files. Without: what laptops there are."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the laptop to make an enrol file for")
    parser.add_argument(
        "--list", metavar="FILE.csv", help="make an enrol file for each laptop of a spreadsheet's list"
    )
    parser.add_argument(
        "--serial", default="", help="its serial number, if known: another machine is then refused"
    )
    parser.add_argument(
        "--days", type=int, default=invitations.TOKEN_DAYS, help="how long an enrol file can be used (30)"
    )
    parser.add_argument(
        "--out",
        metavar="PATH",
        help="where the enrol file goes; with --list, the folder for all (default: enrol/enrol-NAME.json)",
    )
    parser.add_argument(
        "--remove", action="store_true", help="retire the laptop NAME: it gets no orders any more"
    )
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Invite, retire or list."""
    if args.list is not None and (args.name or args.serial or args.remove):
        raise BookbagError("bad-argument", "cannot take --list with a NAME: the list says which laptops")
    if args.name is None and args.list is None:
        if args.remove or args.out:
            raise BookbagError("bad-argument", "cannot do that without the NAME of a laptop")
        return _list(args, context)
    if not 1 <= args.days <= 365:
        raise BookbagError("bad-argument", f"cannot make a token for {args.days} days", remedy="use 1 to 365")
    with context.folder.locked():
        if args.list is not None:
            return _invite_all(args, context)
        return _retire(args, context) if args.remove else _invite(args, context)


def _invite(args: argparse.Namespace, context: Context) -> int:
    folder, console = context.folder, context.console
    known = folder.known_device(args.name)
    out = Path(args.out).absolute() if args.out else folder.root / "enrol" / f"enrol-{args.name}.json"
    kit = invitations.read_kit(folder)
    made = invitations.invite(
        kit, args.name, known, serial=args.serial, days=args.days, out=out, now=context.now()
    )
    invitations.keep(folder, [made])
    console.say(f"Enrol file: {out}")
    console.say(
        f"It enrols one laptop, once, within {args.days} days. Carry it there, then on the laptop, as root:"
    )
    console.say(f"  bookbag enrol {out.name}")
    if known:
        console.say(f"An enrol file made for {args.name} before no longer works.", "warn")
    console.result({"device": args.name, "file": str(out), "token": made.token.id})
    return exit_codes.IN_SYNC


def _invite_all(args: argparse.Namespace, context: Context) -> int:
    folder, console = context.folder, context.console
    rows = read_list(Path(args.list))
    to = Path(args.out).absolute() if args.out else folder.root / "enrol"
    progress = console.progress("making enrol files", len(rows))
    try:
        handed = list(
            invitations.hand_out(folder, rows, to, days=args.days, now=context.now(), step=progress.step)
        )
    finally:
        progress.close()
    counts = Counter(one.came for one in handed)
    if counts["made"]:
        console.say(f"Enrol files made: {counts['made']}, in {to}", "good")
        console.say(
            f"Each enrols one laptop, once, within {args.days} days. Carry it there, then there, as root:"
        )
        console.say("  bookbag enrol enrol-NAME.json")
    for came, words in _CAME.items():
        if counts[came]:
            console.say(f"{counts[came]} {words}", "warn" if came == "retired" else "")
    again = [one.row.name for one in handed if one.again]
    if again:
        console.say(f"Enrol files made before no longer work for: {', '.join(again)}", "warn")
    console.result(
        {
            "devices": [
                {
                    "name": one.row.name,
                    "line": one.row.line,
                    "state": one.came,
                    "file": str(one.out) if one.out else None,
                    "token": one.token,
                }
                for one in handed
            ],
            "counts": dict(counts),
        }
    )
    return exit_codes.IN_SYNC


def _retire(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    record = folder.device(args.name)
    orders.forget(folder, record.name)
    folder.save_device(replace(record, state="retired"))
    context.console.say(f"{args.name} is retired: at the next publish its mailbox is emptied.")
    context.console.result({"device": args.name, "state": "retired"})
    return exit_codes.IN_SYNC


def _list(args: argparse.Namespace, context: Context) -> int:
    folder, console = context.folder, context.console
    known = folder.devices()
    back = {one.name: one for one in waiting(folder, known)}
    problems = 0
    rows, listed = [], []
    pending: dict[str, Pending] = {}
    if back and args.persons:
        opened = Enrolments(folder, context.keyring().returns_key(args.persons), known, context.now())
        progress = console.progress("opening", len(back))
        for name, one in back.items():
            pending[name] = opened.read(one)
            progress.step()
        progress.close()
    for record in known:
        state, note, error = _describe(record, record.name in back, pending.get(record.name))
        problems += error is not None
        groups = [record.school or "", record.year or "", record.class_ or ""]
        rows.append([record.name, state, *groups, note])
        listed.append(
            {
                "name": record.name,
                "state": state,
                "device": record.device,
                "school": record.school,
                "year": record.year,
                "class": record.class_,
                "error": error.to_dict() if error else None,
            }
        )
    console.table(rows, head=["laptop", "state", "school", "year", "class", ""])
    if not rows:
        console.say(
            "No laptops yet. Make an enrol file: bookbag-fleet device NAME, or --list FILE.csv for many"
        )
    if back and not args.persons:
        console.say("Enrolments came back. Check them with: bookbag-fleet device --as YOU")
    console.result({"devices": listed})
    return exit_codes.FAILED if problems else exit_codes.IN_SYNC


def _describe(
    record: DeviceRecord, waits: bool, pending: Pending | None
) -> tuple[str, str, BookbagError | None]:
    if pending is not None and pending.error is not None:
        return "refused", str(pending.error), pending.error
    if pending is not None:
        return "pending", f"proven; next: bookbag-fleet assign {record.name} year=… class=… --as YOU", None
    if waits:
        return "pending", "not opened yet", None
    return record.state, "", None
