"""Accounts for students, from the school's list: each with a first password that stands on one sheet to print
and nowhere else, and that must be changed at the first log-in.

Names and logins lie sealed in the folder and reach only the laptop that they are for. A policy says that
accounts come: `accounts.roster: given`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet import firstpassword, roster, secrets, sheet
from agent.fleet.cli import giving
from agent.fleet.cli.context import Context, add_common, add_signing
from agent.fleet.cli.findings import show_findings, values
from agent.fleet.folder import Folder
from agent.fleet.orders import Wish
from agent.fleet.records import DeviceRecord
from agent.fleet.rosterlist import Wanted, read_roster
from agent.fleet.sheet import Slip
from agent.policy.bases.roster import RESET, RosterLine
from agent.trust.keys import SealKey

HELP = "give laptops their students' accounts, with first passwords on a sheet to print"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-verbs; without one, the list."""
    giving.add_order(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="who has an account on which laptop (the default)")
    bring = actions.add_parser("import", help="give the accounts of a list: login, name, laptop, class")
    bring.add_argument("list", metavar="ROSTER.csv", help="of the laptops in it, it is the whole truth")
    reset = actions.add_parser("reset", help="give a student who forgot it a new first password")
    reset.add_argument("laptop", metavar="LAPTOP")
    reset.add_argument("login", metavar="LOGIN")
    remove = actions.add_parser("remove", help="take accounts away; one that was used is locked, and stays")
    remove.add_argument("laptop", metavar="LAPTOP")
    remove.add_argument("logins", nargs="*", metavar="LOGIN", help="these only")
    for one in (bring, reset):
        one.add_argument(
            "--sheet",
            required=True,
            metavar="FILE",
            help="where the passwords are written, once; a page to print if it ends in .html",
        )
    for one in (bring, reset, remove):
        one.add_argument("--reason", default=argparse.SUPPRESS, help="why; kept in the signed order")
    for one in (listing, bring, reset, remove):
        add_signing(one, inner=True)
        add_common(one, inner=True)


def run(args: argparse.Namespace, context: Context) -> int:
    """Dispatch to the sub-verb."""
    if not args.persons:
        remedy = "say --as PERSON: who has an account where lies sealed"
        raise BookbagError("bad-argument", "cannot open or sign as nobody", remedy=remedy)
    actions = {"list": _list, "import": _import, "reset": _reset, "remove": _remove}
    return actions[args.action or "list"](args, context)


def _list(args: argparse.Namespace, context: Context) -> int:
    folder, console = context.folder, context.console
    key, epoch = context.keyring().returns_key(args.persons), folder.site().epoch
    told = []
    for name in roster.laptops(folder):
        laptop = folder.known_device(name)
        for one in roster.lines(folder, laptop, key) if laptop is not None else ():
            given = laptop is not None and roster.is_given(folder, laptop, epoch)
            told.append({"laptop": name, "login": one.login, "name": one.shown, "given": given})
    rows = [
        [str(one["laptop"]), str(one["login"]), str(one["name"]), "" if one["given"] else "not given yet"]
        for one in told
    ]
    console.table(rows, head=["laptop", "login", "name", ""])
    if not told:
        console.say("There are none. Begin: bookbag-fleet roster import ROSTER.csv --sheet FILE --as PERSON")
    console.result({"accounts": told})
    return exit_codes.IN_SYNC


def _import(args: argparse.Namespace, context: Context) -> int:
    folder, console, place = context.folder, context.console, Path(args.sheet)
    sheet.check_place(folder, place)
    laptops = {one.name: one for one in folder.devices()}
    rows, wrong = read_roster(Path(args.list), laptops)
    if wrong:
        show_findings(console, list(wrong))
        console.say("Nothing was done.")
        console.result({"findings": values(list(wrong))})
        return exit_codes.FAILED
    key, epoch = context.keyring().returns_key(args.persons), folder.site().epoch
    wanted: dict[str, list[Wanted]] = {}
    for row in rows:
        wanted.setdefault(row.laptop, []).append(row)
    waiting = [name for name in wanted if laptops[name].state != "assigned" or not laptops[name].seal_key]
    slips: list[Slip] = []
    changed: list[tuple[DeviceRecord, tuple[RosterLine, ...]]] = []
    lacking: list[DeviceRecord] = []
    with folder.locked():
        progress = console.progress("making passwords", len(wanted))
        for name, mine in wanted.items():
            progress.step()
            if name in waiting:
                continue
            laptop = folder.device(name)
            before = roster.lines(folder, laptop, key)
            after, made = roster.merged(before, [(one.login, one.shown) for one in mine])
            slips += [_slip(laptop, one, made[one.login]) for one in after if one.login in made]
            if after != before:
                changed.append((laptop, after))
            if after != before or not roster.is_given(folder, laptop, epoch):
                lacking.append(laptop)
        progress.close()
        _keep(context, place, slips, changed)
    if waiting:
        console.warn(
            f"not enrolled and assigned yet, so left out: {', '.join(waiting)}; then import it again"
        )
    if not lacking:
        console.say("Every laptop of the list has these accounts already.")
        console.result({"orders": []})
        return exit_codes.IN_SYNC
    return _order(args, context, lacking, key)


def _reset(args: argparse.Namespace, context: Context) -> int:
    folder, place = context.folder, Path(args.sheet)
    sheet.check_place(folder, place)
    laptop, key = folder.device(args.laptop), context.keyring().returns_key(args.persons)
    with folder.locked():
        before = roster.lines(folder, laptop, key)
        _check_known(laptop, before, [args.login])
        password = firstpassword.make()
        fresh = {"word": RESET, "hashed": firstpassword.hashed(password)}
        after = tuple(replace(one, **fresh) if one.login == args.login else one for one in before)
        slips = [_slip(laptop, one, password) for one in after if one.login == args.login]
        _keep(context, place, slips, [(laptop, after)])
    return _order(args, context, [laptop], key)


def _remove(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    laptop, key = folder.device(args.laptop), context.keyring().returns_key(args.persons)
    with folder.locked():
        before = roster.lines(folder, laptop, key)
        _check_known(laptop, before, args.logins or [""][: not before])
        gone = args.logins or [one.login for one in before]
        roster.keep(folder, laptop, [one for one in before if one.login not in gone], context.now())
    return _order(args, context, [laptop], key)


def _check_known(laptop: DeviceRecord, before: Sequence[RosterLine], logins: Sequence[str]) -> None:
    known = [one.login for one in before]
    for login in logins:
        if login not in known:
            why = f"cannot find an account {login!r} of {laptop.name}"
            raise BookbagError("not-found", why, remedy=f"there are: {', '.join(known) or 'none yet'}")


def _slip(laptop: DeviceRecord, one: RosterLine, password: str) -> Slip:
    return Slip(laptop.name, laptop.class_ or "", one.shown, one.login, password)


def _keep(
    context: Context,
    place: Path,
    slips: Sequence[Slip],
    changed: Sequence[tuple[DeviceRecord, tuple[RosterLine, ...]]],
) -> None:
    """First the sheet: a password that is in force and stands nowhere helps nobody."""
    if slips:
        sheet.check_place(context.folder, place)  # again: making them takes minutes, and another may be done
        sheet.write(place, slips)
        context.console.say(
            f"{len(slips)} first passwords are in {place} and nowhere else: print it, hand it out, delete it."
        )
    for laptop, after in changed:
        roster.keep(context.folder, laptop, after, context.now())


def _order(args: argparse.Namespace, context: Context, laptops: Sequence[DeviceRecord], key: SealKey) -> int:
    """Sign for each what it has from now on: its other secrets stay."""
    folder: Folder = context.folder
    epoch = folder.site().epoch

    def wish(laptop: DeviceRecord, now: int) -> Wish:
        others = {*secrets.held(folder, laptop, epoch).names}.intersection(secrets.names(folder))
        return secrets.wish(folder, laptop, others, key, args.reason)

    return giving.give_each(args, context, laptops, wish)
