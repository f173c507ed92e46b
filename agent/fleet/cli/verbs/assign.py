"""Say who a laptop is: check its enrolment, and sign that these keys belong to this school, year and class.

Only this gives a laptop its groups. It counts at the next publish. With --list, a whole spreadsheet of
laptops (see bookbag-fleet device --help) is assigned with one passphrase: those whose enrolment came back and
holds, and those whose groups the list changes. Give the list again as more come back.
"""

from __future__ import annotations

import argparse
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet import assignment, groups, orders, rollcall
from agent.fleet.cli.console import Console
from agent.fleet.cli.context import Context, add_signing
from agent.fleet.enrolments import Enrolments, escrow_files, is_waiting, not_back, settle
from agent.fleet.laptoplist import read_list
from agent.fleet.rollcall import Answer, RollCall
from agent.fleet.upstream import require_current

HELP = "sign which school, year and class a laptop, or a list of them, belongs to"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A laptop and its groups, or a list."""
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("groups", nargs="*", metavar="school=… year=… class=…")
    parser.add_argument(
        "--list", metavar="FILE.csv", help="assign every laptop of a spreadsheet's list that came back"
    )
    parser.add_argument("--reason", default="", help="kept in the signed order")
    parser.add_argument(
        "--renew", action="store_true", help="sign all assignments again (new epoch, or running out)"
    )
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign one assignment, those of a list, or all of them again."""
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON")
    if (args.name is not None) + (args.list is not None) + args.renew != 1:
        raise BookbagError(
            "bad-argument",
            "cannot tell which laptop",
            remedy="give its NAME, or --list FILE.csv for many, or --renew for all",
        )
    require_current(context.folder.root)
    with context.folder.locked():
        if args.list is not None:
            return _assign_list(args, context)
        return _renew(args, context) if args.renew else _assign(args, context)


def _assign(args: argparse.Namespace, context: Context) -> int:
    folder, keyring, now = context.folder, context.keyring(), context.now()
    record = folder.device(args.name)
    wanted = groups.parse(args.groups, folder.site(), record)
    if is_waiting(folder, record):
        enrolments = Enrolments(folder, keyring.returns_key(args.persons), folder.devices(), now)
        request = enrolments.require(record)
        record = enrolments.take(record, request)
        folder.write_many(escrow_files(folder, record.name, request))
    elif record.state != "assigned":
        raise not_back(record)
    signers = [keyring.person(one) for one in args.persons]
    record = assignment.assign(folder, record, wanted, signers, reason=args.reason, now=now)
    settle(folder, [record])
    console = context.console
    console.say(
        f"{record.name}: school {record.school}, year {record.year or '-'}, class {record.class_ or '-'};"
        f" signed by {', '.join(args.persons)}."
    )
    console.say("It counts at the next publish: bookbag-fleet publish")
    console.result({"device": record.name, "id": record.device, "seq": record.seq, "groups": wanted})
    return exit_codes.IN_SYNC


def _assign_list(args: argparse.Namespace, context: Context) -> int:
    folder, keyring, now = context.folder, context.keyring(), context.now()
    rows = read_list(Path(args.list))
    signers = [keyring.person(one) for one in args.persons]
    enrolments = Enrolments(folder, keyring.returns_key(args.persons), folder.devices(), now)
    call = RollCall(folder, enrolments, signers, reason=args.reason, now=now)
    progress = context.console.progress("assigning", len(rows))
    try:
        answers = list(call.call(rows, progress.step))
    finally:
        progress.close()
    return _told(context.console, answers, args.list)


def _told(console: Console, answers: Sequence[Answer], file: str) -> int:
    counts = Counter(one.state for one in answers)
    console.say(f"assigned  {counts['assigned']}", "good" if counts["assigned"] else "")
    if counts["same"]:
        console.say(f"same      {counts['same']} were assigned like this before")
    if counts["waiting"]:
        names = ", ".join(one.row.name for one in answers if one.state == "waiting")
        console.say(f"waiting   {counts['waiting']} have not come back:", "warn")
        console.say(textwrap.fill(names, 100, initial_indent=" " * 10, subsequent_indent=" " * 10))
    for one in answers:
        if one.error and one.state == "refused":
            why = f"{one.error.message} [{one.error.code}]"
            console.say(f"refused   {one.row.name} ({file}:{one.row.line}): {why}", "bad")
            if one.error.remedy:
                console.say(f"          what to do: {one.error.remedy}")
    if counts["assigned"]:
        console.say("It counts at the next publish: bookbag-fleet publish")
    console.result(
        {
            "devices": [
                {
                    "name": one.row.name,
                    "line": one.row.line,
                    "state": one.state,
                    "groups": dict(one.groups),
                    "error": one.error.to_dict() if one.error else None,
                }
                for one in answers
            ],
            "counts": dict(counts),
        }
    )
    return exit_codes.FAILED if counts["refused"] else exit_codes.IN_SYNC


def _renew(args: argparse.Namespace, context: Context) -> int:
    folder, keyring, now = context.folder, context.keyring(), context.now()
    signers = [keyring.person(one) for one in args.persons]
    records = [one for one in folder.devices() if one.state == "assigned"]
    progress = context.console.progress("signing", len(records))
    for start in range(0, len(records), rollcall.AT_ONCE):
        part = records[start : start + rollcall.AT_ONCE]
        signed = [
            assignment.sign(folder, one, groups.of(one), signers, reason=args.reason or "renewed", now=now)
            for one in part
        ]
        orders.keep(folder, signed)
        progress.step(len(part))
    progress.close()
    context.console.say(f"Signed {len(records)} assignments again; they count at the next publish.")
    context.console.result({"renewed": [one.name for one in records]})
    return exit_codes.IN_SYNC
