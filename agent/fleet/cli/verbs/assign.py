"""Say who a laptop is: check its enrolment, and sign that these keys belong to this school, year and class.

Only this gives a laptop its groups. It counts at the next publish.
"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet import assignment, devices
from agent.fleet.cli.context import Context, add_signing
from agent.fleet.upstream import require_current

HELP = "sign which school, year and class a laptop belongs to"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A laptop and its groups."""
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("groups", nargs="*", metavar="school=… year=… class=…")
    parser.add_argument("--reason", default="", help="kept in the signed order")
    parser.add_argument(
        "--renew", action="store_true", help="sign all assignments again (new epoch, or running out)"
    )
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign one assignment, or all of them again."""
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON")
    if (args.name is None) != args.renew:
        raise BookbagError(
            "bad-argument", "cannot tell which laptop", remedy="give its NAME, or --renew for all"
        )
    require_current(context.folder.root)
    with context.folder.locked():
        return _renew(args, context) if args.renew else _assign(args, context)


def _assign(args: argparse.Namespace, context: Context) -> int:
    folder, keyring, now = context.folder, context.keyring(), context.now()
    record = folder.device(args.name)
    groups = devices.parse_groups(args.groups, folder.site(), record)
    if devices.is_waiting(folder, record):
        request = devices.find_pending(folder, args.name, keyring.returns_key(args.persons), now)
        record = devices.accept(folder, record, request)
    elif record.state != "assigned":
        devices.find_pending(
            folder, args.name, keyring.returns_key(args.persons), now
        )  # raises: says what is missing
    signers = [keyring.person(one) for one in args.persons]
    record = assignment.assign(folder, record, groups, signers, reason=args.reason, now=now)
    devices.settle(folder, record)
    console = context.console
    console.say(
        f"{record.name}: school {record.school}, year {record.year or '-'}, class {record.class_ or '-'};"
        f" signed by {', '.join(args.persons)}."
    )
    console.say("It counts at the next publish: bookbag-fleet publish")
    console.result({"device": record.name, "id": record.device, "seq": record.seq, "groups": groups})
    return exit_codes.IN_SYNC


def _renew(args: argparse.Namespace, context: Context) -> int:
    folder, keyring, now = context.folder, context.keyring(), context.now()
    signers = [keyring.person(one) for one in args.persons]
    records = [one for one in folder.devices() if one.state == "assigned"]
    progress = context.console.progress("signing", len(records))
    for record in records:
        groups = {"school": record.school, "year": record.year, "class": record.class_}
        assignment.assign(folder, record, groups, signers, reason=args.reason or "renewed", now=now)
        progress.step()
    progress.close()
    context.console.say(f"Signed {len(records)} assignments again; they count at the next publish.")
    context.console.result({"renewed": [one.name for one in records]})
    return exit_codes.IN_SYNC
