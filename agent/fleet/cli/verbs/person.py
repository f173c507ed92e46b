"""Persons who may decide something: list them, add one, remove one, give roles, share the desk's keys.

Adding or removing a person changes what the site trusts: the change counts once two persons have signed and
published it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet import keyfile, people, yamlrecord
from agent.fleet.cli.context import Context, add_common, add_signing
from agent.fleet.keyfile import PersonKeys
from agent.fleet.records import PersonRecord

HELP = "list, add and remove persons; give them roles"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-verbs; without one, the list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="who there is (the default)")
    add = actions.add_parser(
        "add", help="add a person and make keys here, or take public keys made elsewhere"
    )
    add.add_argument("person", metavar="ID")
    add.add_argument("--public", metavar="FILE", help="the person.yaml that `person keygen` made elsewhere")
    add.add_argument(
        "--role", metavar="ROLE", action="append", default=[], help="give this role (repeatable)"
    )
    keygen = actions.add_parser("keygen", help="make keys on a person's own machine; needs no folder")
    keygen.add_argument("person", metavar="ID")
    keygen.add_argument("--out", metavar="DIR", required=True, help="where ID.json and ID.yaml go")
    remove = actions.add_parser("remove", help="end a person's power; a new epoch begins")
    remove.add_argument("person", metavar="ID")
    role = actions.add_parser("role", help="give a person a role")
    role.add_argument("role", metavar="ROLE")
    role.add_argument("person", metavar="ID")
    share = actions.add_parser("share", help="let a person open what laptops return")
    share.add_argument("person", metavar="ID")
    for one in (add, keygen, remove, role, share):
        add_signing(one)
    for one in (listing, add, keygen, remove, role, share):
        add_common(one, inner=True)


def run(args: argparse.Namespace, context: Context) -> int:
    """Dispatch to the sub-verb."""
    if args.action == "keygen":
        return _keygen(args, context)
    with context.folder.locked():
        return _ACTIONS[args.action or "list"](args, context)


def _list(args: argparse.Namespace, context: Context) -> int:
    folder, site = context.folder, context.folder.site()
    rows, listed = [], []
    for record in folder.people():
        roles = [name for name, role in sorted(site.roles.items()) if record.id in role.persons]
        here = folder.key_file(record.id).is_file()
        shared = folder.shared_key_file("returns", record.id).is_file()
        rows.append(
            [record.id, ", ".join(roles) or "-", "here" if here else "elsewhere", "yes" if shared else "no"]
        )
        listed.append({"id": record.id, "roles": roles, "key-here": here, "opens-returns": shared})
    context.console.table(rows, head=["person", "roles", "private key", "opens returns"])
    context.console.result({"persons": listed})
    return exit_codes.IN_SYNC


def _add(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    site = people.give_roles(folder.site(), args.person, args.role)
    if args.public:
        path = Path(args.public)
        record = yamlrecord.load(folder.read(path), str(path), PersonRecord)
        if record.id != args.person:
            raise BookbagError(
                "bad-argument", f"cannot add {args.person}: the file is of {record.id}", place=str(path)
            )
        people.take_person(folder, record)
    else:
        people.make_person(folder, args.person, context.passphrases)
        record = folder.person(args.person)
    folder.save_site(site)
    console = context.console
    editor = people.is_editor(site, args.person)
    shared = []
    if args.persons and not editor:
        shared = people.share_all(folder, context.keyring(), args.persons, record)
    console.say(f"Added {args.person}." + (" They can open what laptops return." if shared else ""))
    if editor:
        console.say("They publish learning content; orders, and what laptops return, are not for them.")
    elif not shared:
        console.say(
            f"To let them open what laptops return: bookbag-fleet person share {args.person} --as YOU"
        )
    console.say("It counts once trust is signed by two persons: bookbag-fleet publish --as … --as …")
    console.result({"person": args.person, "roles": args.role, "shared": shared})
    return exit_codes.IN_SYNC


def _keygen(args: argparse.Namespace, context: Context) -> int:
    from agent.core import ids
    from agent.fleet.folder import Folder

    ids.check_name(args.person, "a person's id")
    out = Folder(Path(args.out).absolute())
    target = out.root / f"{args.person}.json"
    if target.exists():
        raise BookbagError("conflict", "cannot make keys: there are some already", place=str(target))
    keys = PersonKeys.generate(args.person)
    out.write(target, keyfile.lock(keys, context.passphrases.get(args.person, new=True)), mode=0o600)
    out.save_person(PersonRecord(args.person, (keys.sign.public.hex,), keys.seal.public.hex))
    public = out.root / "people" / f"{args.person}.yaml"
    context.console.say(f"Private keys: {target} (keep it, with its passphrase, and a copy elsewhere)")
    context.console.say(f"Public keys: {public} (give this to IT: bookbag-fleet person add --public FILE)")
    context.console.result({"private": str(target), "public": str(public)})
    return exit_codes.IN_SYNC


def _remove(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    folder.person(args.person)
    site = people.without(folder.site(), args.person)
    folder.save_site(site)
    for path in (
        folder.root / "people" / f"{args.person}.yaml",
        folder.key_file(args.person),
        folder.shared_key_file("returns", args.person),
        folder.shared_key_file("ca", args.person),
    ):
        path.unlink(missing_ok=True)
    console = context.console
    console.say(
        f"Removed {args.person}; epoch {site.epoch} begins once trust is signed by two persons and published."
    )
    console.say("Until then their signature still counts. Assignments are signed anew for the new epoch:")
    console.say("  bookbag-fleet assign --renew --as YOU && bookbag-fleet publish --as YOU --as SECOND")
    console.result({"person": args.person, "epoch": site.epoch})
    return exit_codes.IN_SYNC


def _role(args: argparse.Namespace, context: Context) -> int:
    folder = context.folder
    folder.person(args.person)
    folder.save_site(people.give_roles(folder.site(), args.person, [args.role]))
    context.console.say(
        f"{args.person} gets the role {args.role} once trust is signed by two persons and published."
    )
    context.console.result({"person": args.person, "role": args.role})
    return exit_codes.IN_SYNC


def _share(args: argparse.Namespace, context: Context) -> int:
    shared = people.share_all(
        context.folder, context.keyring(), args.persons, context.folder.person(args.person)
    )
    context.console.say(f"{args.person} can now open what laptops return.")
    context.console.result({"person": args.person, "shared": shared})
    return exit_codes.IN_SYNC


_ACTIONS = {"list": _list, "add": _add, "remove": _remove, "role": _role, "share": _share}
