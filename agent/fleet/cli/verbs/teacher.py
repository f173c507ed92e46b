"""Teachers: who may start, in classes of their own and until a day within a year, what policies let them
start.

A teacher is no person of the site: their key signs sessions and nothing else. It counts once trust is
signed by two persons and published.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.core import exit_codes
from agent.core.clock import day
from agent.core.errors import BookbagError
from agent.fleet import keyfile, teachers, yamlrecord
from agent.fleet.cli.context import Context, add_common, add_signing
from agent.fleet.keyfile import PersonKeys
from agent.fleet.records import PersonRecord, TeacherRecord

HELP = "list, add and remove teachers, who may start sessions of their classes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-verbs; without one, the list."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="who there is (the default)")
    add = actions.add_parser("add", help="add a teacher, or give one other classes or another day")
    add.add_argument("teacher", metavar="ID")
    add.add_argument("--school", required=True, metavar="NAME")
    add.add_argument("--class", dest="classes", required=True, nargs="+", metavar="CLASS")
    add.add_argument("--until", required=True, metavar="YYYY-MM-DD", help="the key's last day, within a year")
    add.add_argument("--public", metavar="FILE", help="the ID.yaml that `person keygen` made elsewhere")
    remove = actions.add_parser("remove", help="end a teacher's power")
    remove.add_argument("teacher", metavar="ID")
    for one in (add, remove):
        add_signing(one)
    for one in (listing, add, remove):
        add_common(one, inner=True)


def run(args: argparse.Namespace, context: Context) -> int:
    """Dispatch to the sub-verb."""
    with context.folder.locked():
        return _ACTIONS[args.action or "list"](args, context)


def _list(args: argparse.Namespace, context: Context) -> int:
    found = context.folder.teachers()
    rows = [[one.id, one.school, ", ".join(one.classes), one.since, one.until] for one in found]
    context.console.table(rows, head=["teacher", "school", "classes", "from", "until"])
    if not rows:
        context.console.say("No teachers yet. Make one: bookbag-fleet teacher add --help")
    listed = [
        {
            "id": one.id,
            "school": one.school,
            "classes": list(one.classes),
            "since": one.since,
            "until": one.until,
        }
        for one in found
    ]
    context.console.result({"teachers": listed})
    return exit_codes.IN_SYNC


def _add(args: argparse.Namespace, context: Context) -> int:
    folder, name = context.folder, args.teacher
    known = name in folder.stems("teachers")
    made: PersonKeys | None = None
    if args.public:
        path = Path(args.public)
        elsewhere = yamlrecord.load(folder.read(path), str(path), PersonRecord)
        if elsewhere.id != name:
            raise BookbagError(
                "bad-argument", f"cannot add {name}: the file is of {elsewhere.id}", place=str(path)
            )
        keys = elsewhere.keys
    elif known:
        keys = folder.teacher(name).keys
    else:
        made = PersonKeys.generate(name)
        keys = (made.sign.public.hex,)
    record = TeacherRecord(name, keys, args.school, tuple(args.classes), day(context.now()), args.until)
    teachers.check(folder, record)
    if made is not None:
        data = keyfile.lock(made, context.passphrases.get(name, new=True))
        folder.write(folder.key_file(name), data, mode=0o600)
    folder.save_teacher(record)
    console = context.console
    console.say(f"{name} may start sessions of {', '.join(record.classes)} until {record.until}.")
    console.say("It counts once trust is signed by two persons: bookbag-fleet publish --as … --as …")
    console.result({"teacher": name, "classes": list(record.classes), "until": record.until})
    return exit_codes.IN_SYNC


def _remove(args: argparse.Namespace, context: Context) -> int:
    teachers.remove(context.folder, args.teacher)
    context.console.say(
        f"{args.teacher} starts nothing any more once trust is signed by two persons and published."
    )
    context.console.result({"teacher": args.teacher})
    return exit_codes.IN_SYNC


_ACTIONS = {"list": _list, "add": _add, "remove": _remove}
