"""Sessions of a class: a teacher has on, for some hours, what the policy lets teachers start.

A session ends by itself. `release` ends it on one laptop; hours that the school wrote go on everywhere.
With --to it goes straight to the school's service, from a laptop that has a teacher's key file and no folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet import sessions, teachers
from agent.fleet.cli import classroom, giving
from agent.fleet.cli.context import Context, add_common, add_signing
from agent.fleet.folder import Folder
from agent.fleet.orders import Wish
from agent.fleet.records import DeviceRecord
from agent.trust import floors

HELP = "start, extend and end what a teacher may have on in a class; release one laptop; see who is in"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, where, how long."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    start = actions.add_parser("start", help="have a timetable of the policy on, from now on")
    extend = actions.add_parser("extend", help="have what is on go on, for so long from now on")
    end = actions.add_parser("end", help="end it on all laptops of the class")
    release = actions.add_parser("release", help="end it on one laptop")
    who = actions.add_parser("who", help="which laptops are in")
    for one in (start, extend, end, who):
        one.add_argument("class_", metavar="CLASS")
        one.add_argument(
            "--school", default="", metavar="NAME", help="where several schools have such a class"
        )
    start.add_argument("timetable", metavar="TIMETABLE", help="one that is startable")
    release.add_argument("name", metavar="NAME")
    for one in (start, extend):
        one.add_argument("--for", dest="seconds", type=giving.seconds, required=True, metavar="90m")
    for one in (start, extend, end, release):
        giving.add_order(one)
    add_signing(who)
    for one in (start, extend, end, release, who):
        classroom.add_arguments(one)
        add_common(one, inner=True)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign one order for each laptop, or look."""
    if args.action in ("start", "extend") and not 60 <= args.seconds <= floors.LONGEST_SESSION:
        most = floors.LONGEST_SESSION // 3600
        raise BookbagError("bad-argument", f"cannot have it on for so long: use 1m to {most}h")
    if args.to:
        return classroom.run(args, context)
    folder, now = context.folder, context.now()
    if args.action == "release":
        released = [folder.device(args.name)]
        sessions.check_signers(folder, released, args.persons, now, now)
        return giving.give(args, context, released, _end(args, folder, now))
    records = sessions.of_class(folder, args.class_, args.school)
    if args.action == "who":
        return _who(context, records, now)
    if args.action == "end":
        sessions.check_signers(folder, records, args.persons, now, now)
        return giving.give(args, context, records, _end(args, folder, now))
    timetable, records = _what(args, context, records, now)
    sessions.check(folder, records, timetable, args.seconds)
    sessions.check_signers(folder, records, args.persons, now + args.seconds, now)
    wish = Wish(floors.SESSION, {"action": "start", "timetable": timetable}, args.reason, life=args.seconds)
    return giving.give(args, context, records, lambda now: wish)


def _what(
    args: argparse.Namespace, context: Context, records: list[DeviceRecord], now: int
) -> tuple[str, list[DeviceRecord]]:
    """What is to be on, and where: who was released is not brought back by extending."""
    if args.action == "start":
        check_name(args.timetable, "a timetable")
        return args.timetable, records
    found = {one.laptop: one.timetable for one in sessions.standing(context.folder, records, now)}
    on = sorted({timetable for timetable in found.values() if timetable})
    if len(on) != 1:
        what = f"several are on: {', '.join(on)}" if on else "nothing is on"
        raise BookbagError("not-found", f"cannot extend the session of {args.class_}: {what}")
    return on[0], [one for one in records if found[one.name]]


def _end(args: argparse.Namespace, folder: Folder, now: int) -> Callable[[int], Wish]:
    """As long as any session can last that was signed before; no teacher's word outlasts their key."""
    last = [one.until for one in teachers.read(folder) if one.id in args.persons and one.until > now]
    life = min([floors.LONGEST_SESSION, *(until - now for until in last)])
    wish = Wish(floors.SESSION, {"action": "end"}, args.reason, life=life)
    return lambda now: wish


def _who(context: Context, records: list[DeviceRecord], now: int) -> int:
    found = sessions.standing(context.folder, records, now)
    rows = [
        [one.laptop, one.timetable or "-", _clock(one.until), one.by or "-", one.state or "no word yet"]
        for one in found
    ]
    context.console.table(rows, head=["laptop", "on", "until (UTC)", "by", "the laptop says"])
    context.console.result({"laptops": [one.value() for one in found]})
    return exit_codes.IN_SYNC


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}" if at else "-"
