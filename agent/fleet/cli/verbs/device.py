"""Laptops: make a one-time enrol file for one, list them, see which enrolments came back and whether they
hold."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet import devices, orders
from agent.fleet.cli.context import Context, add_signing
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.store import atomic

HELP = "make an enrol file for a laptop; list laptops and pending enrolments"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """With a name: a new one-time enrol file. Without: the list."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the laptop to make an enrol file for")
    parser.add_argument(
        "--serial", default="", help="its serial number, if known: another machine is then refused"
    )
    parser.add_argument("--days", type=int, default=devices.TOKEN_DAYS, help="how long the token lives (30)")
    parser.add_argument(
        "--out", metavar="FILE", help="where the enrol file goes (default: enrol/enrol-NAME.json)"
    )
    parser.add_argument(
        "--remove", action="store_true", help="retire the laptop NAME: it gets no orders any more"
    )
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Invite, retire or list."""
    if args.name is None:
        if args.remove or args.out:
            raise BookbagError("bad-argument", "cannot do that without the NAME of a laptop")
        return _list(args, context)
    with context.folder.locked():
        return _retire(args, context) if args.remove else _invite(args, context)


def _invite(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    if not 1 <= args.days <= 365:
        raise BookbagError("bad-argument", f"cannot make a token for {args.days} days", remedy="use 1 to 365")
    root = _first_root(folder)
    ca = folder.read(folder.root / "ca.pem")
    again = args.name in {one.name for one in folder.devices()}
    _, enrol = devices.invite(
        folder, args.name, serial=args.serial, days=args.days, ca=ca, root=root, now=context.now()
    )
    out = Path(args.out).absolute() if args.out else folder.root / "enrol" / f"enrol-{args.name}.json"
    if not args.out:
        folder.make_dir(out.parent)
    atomic.write(str(out), enrol.to_bytes(), mode=0o600)
    console = context.console
    console.say(f"Enrol file: {out}")
    console.say(
        f"It enrols one laptop, once, within {args.days} days. Carry it there, then on the laptop, as root:"
    )
    console.say(f"  bookbag enrol {out.name}")
    if again:
        console.say(f"An enrol file made for {args.name} before no longer works.", "warn")
    console.result({"device": args.name, "file": str(out), "token": enrol.token.id})
    return exit_codes.IN_SYNC


def _first_root(folder: Folder) -> bytes:
    """The newest published root: a new laptop starts from it."""
    metadata = folder.published / "metadata"
    versions = sorted(int(name.split(".")[0]) for name in folder.names(metadata, ".root.json"))
    if not versions:
        raise BookbagError(
            "not-found",
            "cannot make an enrol file: the site was not published yet",
            remedy="bookbag-fleet publish --as PERSON --as SECOND",
        )
    return folder.read(metadata / f"{versions[-1]}.root.json", most=512 << 10)


def _retire(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    record = folder.device(args.name)
    orders.forget(folder, record.name)
    folder.save_device(devices.retired(record))
    context.console.say(f"{args.name} is retired: at the next publish its mailbox is emptied.")
    context.console.result({"device": args.name, "state": "retired"})
    return exit_codes.IN_SYNC


def _list(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    known = folder.devices()
    waiting = {one.name: one for one in devices.waiting(folder, known)}
    problems = 0
    rows, listed = [], []
    pending: dict[str, devices.Pending] = {}
    if waiting and args.persons:
        key = context.keyring().returns_key(args.persons)
        pending = {
            name: devices.read_pending(folder, one, key, known, context.now())
            for name, one in waiting.items()
        }
    for record in known:
        state, note, error = _describe(record, record.name in waiting, pending.get(record.name))
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
    console = context.console
    console.table(rows, head=["laptop", "state", "school", "year", "class", ""])
    if not rows:
        console.say("No laptops yet. Make an enrol file: bookbag-fleet device NAME")
    if waiting and not args.persons:
        console.say("Enrolments came back. Check them with: bookbag-fleet device --as YOU")
    console.result({"devices": listed})
    return exit_codes.FAILED if problems else exit_codes.IN_SYNC


def _describe(
    record: DeviceRecord, waits: bool, pending: devices.Pending | None
) -> tuple[str, str, BookbagError | None]:
    if pending is not None and pending.error is not None:
        return "refused", str(pending.error), pending.error
    if pending is not None:
        return "pending", f"proven; next: bookbag-fleet assign {record.name} year=… class=… --as YOU", None
    if waits:
        return "pending", "not opened yet", None
    return record.state, "", None
