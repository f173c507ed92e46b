"""What the verbs that order laptops about have in common: which laptops, in which words, signed by whom."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence

from agent.core import exit_codes, jsontext
from agent.core.clock import DAY, day
from agent.core.errors import BookbagError
from agent.fleet import orders, secrets
from agent.fleet.cli.context import Context, add_signing
from agent.fleet.folder import Folder
from agent.fleet.mailing import is_urgent
from agent.fleet.orders import OrderFile, Wish
from agent.fleet.records import DeviceRecord
from agent.fleet.upstream import require_current
from agent.fleet.wanted import read_wanted

_UNITS = {"m": 60, "h": 3600, "d": DAY}


def add_order(parser: argparse.ArgumentParser) -> None:
    """The options of every order."""
    parser.add_argument("--reason", default="", help="why; kept in the signed order")
    add_signing(parser)


def seconds(text: str) -> int:
    """``30m``, ``4h`` or ``2d`` in seconds. Raises argparse's error."""
    number, unit = text[:-1], text[-1:]
    if not number.isascii() or not number.isdecimal() or len(number) > 5 or unit not in _UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 30m, 4h or 2d")
    return int(number) * _UNITS[unit]


def texts(given: Iterable[str], languages: Sequence[str]) -> dict[str, str]:
    """``en=Come to the office``, or a text in the site's first language. Raises ``bad-argument``."""
    found: dict[str, str] = {}
    for one in given:
        language, mark, text = one.partition("=")
        if not mark or not (language.isalpha() and language.islower() and 2 <= len(language) <= 3):
            language, text = languages[0], one
        if not text.strip() or len(text) > 1000:
            raise BookbagError(
                "bad-argument", "cannot use an empty text, or one of more than 1000 characters"
            )
        if language in found:
            raise BookbagError("bad-argument", f"cannot use two texts in {language!r}")
        found[language] = text
    return found


def chosen(folder: Folder, names: Sequence[str], groups: Sequence[str] = ()) -> list[DeviceRecord]:
    """The assigned laptops of these names, or of these groups (``year=9``). Raises ``bad-argument`` for
    none."""
    if bool(names) == bool(groups):
        raise BookbagError(
            "bad-argument", "cannot tell which laptops", remedy="give their NAMEs, or --to year=9 class=9b"
        )
    if names:
        return [folder.device(name) for name in names]
    wanted = dict(pair.partition("=")[::2] for pair in groups)
    if not set(wanted) <= {"school", "year", "class"} or not all(wanted.values()):
        raise BookbagError(
            "bad-argument", "cannot understand --to", remedy="write school=NAME year=9 class=9a"
        )
    found = [
        one
        for one in folder.devices()
        if one.state == "assigned" and all(_group(one, key) == value for key, value in wanted.items())
    ]
    if not found:
        raise BookbagError("not-found", f"cannot find a laptop of {' '.join(groups)}")
    return found


def give(
    args: argparse.Namespace, context: Context, records: Sequence[DeviceRecord], wish: Callable[[int], Wish]
) -> int:
    """Sign one order for each laptop, and say what happens next. ``wish`` is asked with the desk's time."""
    return give_each(args, context, records, lambda record, now: wish(now))


def give_each(
    args: argparse.Namespace,
    context: Context,
    records: Sequence[DeviceRecord],
    wish: Callable[[DeviceRecord, int], Wish],
) -> int:
    """As `give`, where each laptop gets an order of its own."""
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON")
    folder, console, now = context.folder, context.console, context.now()
    require_current(folder.root)
    keyring = context.keyring()
    made: list[OrderFile] = []
    signers = [keyring.person(one) for one in args.persons]
    with folder.locked():
        progress = console.progress("signing", len(records))
        for record in records:
            fresh = folder.device(record.name)
            made.append(orders.give(folder, fresh, wish(fresh, now), signers, now=now)[1])
            progress.step()
        progress.close()
    trust = read_wanted(folder).trust
    for one in made:
        have, needed = one.signed_by(trust), trust.needed(one.kind)
        console.say(
            f"{one.kind} {one.laptop}: signed by {', '.join(have) or 'nobody who may'} (order {one.id})"
        )
        if len(have) < needed:
            others = ", ".join(name for name in one.may_sign(trust) if name not in have)
            console.say(f"It needs {needed - len(have)} more of: {others}", "warn")
            console.say(f"The next person runs: bookbag-fleet approve {one.laptop} --as PERSON")
    console.say("It counts at the next publish: bookbag-fleet publish")
    console.result({"orders": [value(one, one.signed_by(trust), trust.needed(one.kind)) for one in made]})
    return exit_codes.IN_SYNC


def describe(one: OrderFile, have: Sequence[str]) -> str:
    """An order in words, for the eyes of whoever is about to sign it."""
    order = one.draft.order
    parts = [f"{one.kind} {one.laptop} (order {one.id})", f"given on {day(order.issued)}"]
    parts += [f"by {', '.join(have)}"] if have else []
    parts += [f"can be called off for {order.grace_s // 60} minutes"] if is_urgent(one.kind) else []
    parts += [f"reason: {order.reason}"] if order.reason else []
    said = secrets.said(one) if one.kind == secrets.KIND else order.args
    parts += [f"says: {jsontext.canonical(said).decode()}"] if said else []
    return "; ".join(parts)


def value(one: OrderFile, have: Sequence[str], needed: int) -> dict[str, object]:
    """An order for programs."""
    return {
        "device": one.laptop,
        "kind": one.kind,
        "id": one.id,
        "file": one.file,
        "have": list(have),
        "needed": needed,
        "destructive": is_urgent(one.kind),
    }


def _group(record: DeviceRecord, key: str) -> str | None:
    known: Mapping[str, str | None] = {
        "school": record.school,
        "year": record.year,
        "class": record.class_,
    }
    return known[key]
