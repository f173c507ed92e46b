"""Secrets that laptops need, such as pass-phrases of Wi-Fi: kept sealed, given by name, told to nobody but
who has a key and asks.

A value is never taken from the command line, which others can see: it is asked for, or read from a file.
Policies name a secret (`secret: staff-wifi`); a laptop that was not given it waits for it, and says so.
"""

from __future__ import annotations

import argparse
import getpass
import os
import stat
import sys
from collections.abc import Iterable, Sequence

from agent.core import exit_codes
from agent.core.clock import day
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet import secrets
from agent.fleet.cli import giving
from agent.fleet.cli.context import Context, add_common, add_signing
from agent.fleet.orders import Wish
from agent.fleet.records import DeviceRecord
from agent.trust import secretbox

HELP = "keep secrets such as Wi-Fi pass-phrases, and give them to laptops"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-verbs; without one, the list."""
    giving.add_order(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="which there are, and which laptops have them (the default)")
    change = actions.add_parser("set", help="keep a value, and give it to the laptops that have an older one")
    change.add_argument("secret", metavar="SECRET")
    change.add_argument("--file", metavar="FILE", help="read its one line from a file; - from standard input")
    give = actions.add_parser("give", help="give a secret to laptops, by name or by class")
    give.add_argument("secret", metavar="SECRET")
    give.add_argument("names", nargs="*", metavar="LAPTOP")
    give.add_argument("--to", nargs="+", default=[], metavar="school=… year=… class=…", help="by group")
    remove = actions.add_parser("remove", help="take it from laptops; of all of them: it is forgotten, too")
    remove.add_argument("secret", metavar="SECRET")
    remove.add_argument("names", nargs="*", metavar="LAPTOP", help="from these only")
    show = actions.add_parser("show", help="say its value, to repair a laptop that is locked with it")
    show.add_argument("secret", metavar="SECRET")
    for one in (change, give, remove):
        one.add_argument("--reason", default=argparse.SUPPRESS, help="why; kept in the signed order")
    for one in (listing, change, give, remove, show):
        add_signing(one, inner=True)
        add_common(one, inner=True)


def run(args: argparse.Namespace, context: Context) -> int:
    """Dispatch to the sub-verb."""
    actions = {"list": _list, "set": _set, "give": _give, "remove": _remove, "show": _show}
    return actions[args.action or "list"](args, context)


def _list(args: argparse.Namespace, context: Context) -> int:
    folder, console = context.folder, context.console
    epoch = folder.site().epoch
    laptops = [one for one in folder.devices() if one.state == "assigned"]
    has = {one.name: secrets.held(folder, one, epoch) for one in laptops}
    rows, told = [], []
    for name in secrets.names(folder):
        changed = secrets.record(folder, name).changed
        given = [laptop for laptop, held in has.items() if name in held.names]
        old = [laptop for laptop in given if name not in has[laptop].fresh]
        rows.append([name, day(changed), _some(given) or "nobody", _some(old)])
        told.append({"name": name, "changed": changed, "laptops": given, "outdated": old})
    console.table(rows, head=["secret", "changed", "given to", "who have an older one"])
    if not rows:
        console.say("There are none. Begin: bookbag-fleet secret set NAME")
    console.result({"secrets": told})
    return exit_codes.IN_SYNC


def _set(args: argparse.Namespace, context: Context) -> int:
    folder, console, name = context.folder, context.console, args.secret
    check_name(name, "the name of a secret")
    laptops = secrets.holders(folder, name, folder.site().epoch)
    if laptops and not args.persons:
        why = f"cannot change {name}: {_some(one.name for one in laptops)} must be given the new one"
        raise BookbagError("bad-argument", why, remedy="say --as PERSON, who signs that")
    value = secretbox.check_value(_value(name, args.file, context))
    with folder.locked():
        secrets.keep(folder, name, value, context.now())
    console.say(f"Kept, sealed: {secrets.FOLDER}/{name}.yaml")
    if laptops:
        return _order(args, context, laptops, adds=(name,))
    console.say(f"Give it: bookbag-fleet secret give {name} LAPTOP… --as PERSON")
    console.result({"secret": name, "orders": []})
    return exit_codes.IN_SYNC


def _give(args: argparse.Namespace, context: Context) -> int:
    folder, console, name = context.folder, context.console, args.secret
    secrets.record(folder, name)
    epoch = folder.site().epoch
    chosen = giving.chosen(folder, args.names, args.to)
    lacking = [one for one in chosen if name not in secrets.held(folder, one, epoch).fresh]
    if not lacking:
        console.say(f"They have it already: {_some(one.name for one in chosen)}")
        console.result({"orders": []})
        return exit_codes.IN_SYNC
    return _order(args, context, lacking, adds=(name,))


def _remove(args: argparse.Namespace, context: Context) -> int:
    folder, console, name = context.folder, context.console, args.secret
    laptops = secrets.holders(folder, name, folder.site().epoch)
    if args.names:
        laptops = [one for one in laptops if one.name in {folder.device(name).name for name in args.names}]
    elif name not in secrets.names(folder) and not laptops:
        secrets.record(folder, name)  # which says that there is none
    code = exit_codes.IN_SYNC
    if laptops:
        code = _order(args, context, laptops, drops=(name,))
    else:
        console.result({"orders": []})
    if not args.names and name in secrets.names(folder):
        with folder.locked():
            secrets.forget(folder, name)
        console.say(f"Forgotten: {name}. What had it learnt it; change it where it is used.")
    return code


def _show(args: argparse.Namespace, context: Context) -> int:
    folder, name = context.folder, args.secret
    secrets.record(folder, name)
    if not args.persons:
        raise BookbagError("bad-argument", "cannot open it as nobody", remedy="say --as PERSON")
    value = secrets.value(folder, name, context.keyring().returns_key(args.persons))
    context.console.say(value)
    context.console.result({"secret": name, "value": value})
    return exit_codes.IN_SYNC


def _order(
    args: argparse.Namespace,
    context: Context,
    laptops: Sequence[DeviceRecord],
    *,
    adds: Iterable[str] = (),
    drops: Iterable[str] = (),
) -> int:
    """Sign for each laptop what it has from now on."""
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON")
    folder = context.folder
    key = context.keyring().returns_key(args.persons)
    epoch = folder.site().epoch

    def wish(record: DeviceRecord, now: int) -> Wish:
        wanted = {*secrets.held(folder, record, epoch).names, *adds} - set(drops)
        # One that was removed while this laptop was away is in nobody's order any more.
        return secrets.wish(folder, record, wanted.intersection(secrets.names(folder)), key, args.reason)

    return giving.give_each(args, context, laptops, wish)


def _value(name: str, file: str | None, context: Context) -> str:
    """The value, of a file or as it is typed, twice. Raises ``bad-argument``."""
    if file == "-":
        data = sys.stdin.buffer.read(secretbox.MOST_VALUE * 2)
    elif file is not None:
        data = _read(file, context)
    elif sys.stdin.isatty():
        first = getpass.getpass(f"Value of {name}: ")
        if getpass.getpass("Once more: ") != first:
            raise BookbagError("bad-argument", "cannot take it: the two entries differ", remedy="try again")
        return first
    else:
        remedy = "use --file FILE, or --file - for standard input"
        raise BookbagError("bad-argument", "cannot ask for the value: this is no terminal", remedy=remedy)
    try:
        return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise BookbagError("bad-argument", "cannot use this as a secret: it is not UTF-8") from None


def _read(path: str, context: Context) -> bytes:
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(secretbox.MOST_VALUE * 2)
    except OSError as error:
        raise BookbagError("bad-argument", f"cannot read it: {error.strerror}", place=path) from None
    if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
        context.console.warn(f"{path} can be read by others on this machine: chmod 600 it, or remove it")
    return data


def _some(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")
