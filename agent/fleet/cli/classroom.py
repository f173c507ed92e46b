"""`session --to`: from a teacher's own laptop, which has a key file, the school's address, and no folder."""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet import keyfile
from agent.fleet.classroom.client import Classroom, Filed
from agent.fleet.classroom.words import Row, View
from agent.fleet.cli.context import KEYS_VARIABLE, Context
from agent.fleet.keyfile import PersonKeys
from agent.fleet.orders import Wish
from agent.trust import floors

CA_FILE = "ca.pem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the school's service is."""
    group = parser.add_argument_group("from a teacher's own laptop")
    group.add_argument(
        "--to", metavar="URL", default="", help="straight to the school's service; no folder is needed"
    )
    group.add_argument(
        "--ca",
        metavar="FILE",
        default="",
        help=f"the school's certificate (default: {CA_FILE} by the key)",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Look, or have it signed, sent and published; 4 if a laptop was left out."""
    if len(args.persons) != 1:
        raise BookbagError("bad-argument", "cannot tell whose key to use", remedy="say --as TEACHER")
    keys, place = _keys(args, context, args.persons[0])
    room = Classroom(args.to, _ca(args, place), keys, context.now, time.sleep)
    try:
        view = room.look(getattr(args, "class_", ""), getattr(args, "school", ""))
        if args.action == "who":
            return _who(context, view)
        rows, wish = _what(args, view, context.now())
        progress = context.console.progress("publishing", len(rows))
        try:
            filed = room.file(view, rows, wish, progress.step)
        finally:
            progress.close()
    finally:
        room.close()
    return _told(context, filed, wish)


def _what(args: argparse.Namespace, view: View, now: int) -> tuple[list[Row], Wish]:
    """On which laptops, and what."""
    rows, left = list(view.rows), view.until - now
    if args.action == "release":
        rows = [one for one in rows if one.name == args.name]
    if not rows:
        what = args.name if args.action == "release" else f"a laptop of class {args.class_}"
        raise BookbagError("not-found", f"cannot find {what} among the laptops of your classes")
    if args.action in ("release", "end"):
        life = min(floors.LONGEST_SESSION, left)
        return rows, Wish(floors.SESSION, {"action": "end"}, args.reason, life=life)
    if args.seconds > left:
        until = f"{datetime.fromtimestamp(view.until, UTC):%Y-%m-%d %H:%M} UTC"
        raise BookbagError("not-allowed", f"cannot have it on for so long: your key ends at {until}")
    if args.action == "start":
        timetable = check_name(args.timetable, "a timetable")
    else:
        timetable, rows = _going_on(args.class_, rows)
    order = {"action": "start", "timetable": timetable}
    return rows, Wish(floors.SESSION, order, args.reason, life=args.seconds)


def _going_on(class_: str, rows: list[Row]) -> tuple[str, list[Row]]:
    """What is extended, and where: who was released is not brought back."""
    on = sorted({one.timetable for one in rows if one.timetable})
    if len(on) != 1:
        what = f"several are on: {', '.join(on)}" if on else "nothing is on"
        raise BookbagError("not-found", f"cannot extend the session of {class_}: {what}")
    return on[0], [one for one in rows if one.timetable]


def _told(context: Context, filed: Filed, wish: Wish) -> int:
    console, what = context.console, wish.args.get("timetable") or "the end"
    if filed.published:
        console.say(f"Published for {len(filed.published)} laptops: {what}.", "good")
        console.say("Each takes it when it looks next (agent.poll); see it with: session who")
    for name, why in filed.held:
        console.say(f"{name}: {why}", "bad")
    for name in filed.silent:
        console.say(f"{name}: the service did not say in time; try again", "bad")
    console.result(
        {
            "published": list(filed.published),
            "held": [{"device": name, "why": why} for name, why in filed.held],
            "silent": list(filed.silent),
        }
    )
    return exit_codes.FAILED if filed.held or filed.silent else exit_codes.IN_SYNC


def _who(context: Context, view: View) -> int:
    rows = [
        [
            one.name,
            one.class_,
            one.timetable or "-",
            _clock(one.until),
            one.by or "-",
            _word(one, view.at),
        ]
        for one in view.rows
    ]
    head = ["laptop", "class", "on", "until (UTC)", "by", "the laptop says"]
    context.console.table(rows, head=head)
    context.console.result({"laptops": [one.value() for one in view.rows]})
    return exit_codes.IN_SYNC


def _word(one: Row, now: int) -> str:
    """What is known of the laptop since it was told: that it answered, or for how long it did not."""
    if one.state or not one.order:
        return one.state or "-"
    if one.answered:
        return f"answered at {_clock(one.answered)}"
    return f"no word for {max(0, now - one.given) // 60} min"


def _keys(args: argparse.Namespace, context: Context, teacher: str) -> tuple[PersonKeys, Path]:
    """The teacher's key, and the folder it lies in."""
    check_name(teacher, "a teacher's id")
    places = [*args.keys, *filter(None, [os.environ.get(KEYS_VARIABLE)]), "."]
    found = [Path(one) / f"{teacher}.json" for one in places]
    path = next((one for one in found if one.is_file()), None)
    if path is None:
        raise BookbagError(
            "bad-key",
            f"cannot sign as {teacher}: there is no {teacher}.json here",
            remedy="name the folder or stick that IT gave you with --keys DIR",
        )
    with path.open("rb") as file:
        data = file.read(4097)
    keys = keyfile.unlock(data, context.passphrases.get(teacher), place=str(path))
    if keys.id != teacher:
        raise BookbagError("bad-key", f"cannot sign as {teacher}: this key is of {keys.id}", place=str(path))
    return keys, path.parent


def _ca(args: argparse.Namespace, place: Path) -> str:
    """The certificate to trust the service by; "" for the system's."""
    if args.ca and not Path(args.ca).is_file():
        raise BookbagError("not-found", "cannot read the school's certificate", place=args.ca)
    beside = place / CA_FILE
    return str(args.ca or (beside if beside.is_file() else ""))


def _clock(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M}" if at else "-"
