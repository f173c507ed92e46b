"""What students ask: list the requests that came back, and answer them.

A yes is written as an ordinary policy; it counts once it is signed and published, like every other. The
answer itself goes to the laptop sealed, and allows nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.cli import giving
from agent.fleet.cli.context import Context, add_common, add_signing

if TYPE_CHECKING:
    from agent.fleet import asked
    from agent.fleet.asks import Open
    from agent.fleet.folder import Folder

HELP = "list what students ask for, and answer them"
LIFE = 60 * DAY  #: that an answer waits for a laptop that is away


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-verbs; without one, the list."""
    add_signing(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="what waits for an answer (the default)")
    listing.add_argument("--all", action="store_true", help="answered ones too")
    answer = actions.add_parser("answer", help="say yes or no to a request")
    answer.add_argument("id", metavar="ID", help="of the request, or how it begins")
    way = answer.add_mutually_exclusive_group(required=True)
    way.add_argument("--yes", action="store_true")
    way.add_argument("--no", action="store_true")
    answer.add_argument(
        "--for",
        dest="whom",
        choices=("me", "class", "all"),
        default="me",
        help="for that laptop (the default), its class, or every laptop",
    )
    answer.add_argument(
        "--value", metavar="VALUE", default="", help="the setting's new value, as in a policy"
    )
    answer.add_argument(
        "--until",
        metavar="YYYY-MM-DD",
        default="",
        help="the last day of a yes (else it holds until somebody takes it back)",
    )
    answer.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="[LANG=]TEXT",
        help="the answer in words; a no needs one. May be given for several languages",
    )
    answer.add_argument("--role", default="", help="in which role to say yes, if a person has several")
    for one in (listing, answer):
        add_signing(one, inner=True)
        add_common(one, inner=True)


def run(args: argparse.Namespace, context: Context) -> int:
    """Dispatch to the sub-verb."""
    if args.action == "answer":
        return _answer(args, context)
    return _list(args, context)


def _opened(args: argparse.Namespace, context: Context) -> tuple[list[Open], list[str]]:
    """Take what came back, and open everything."""
    from agent.fleet import asks

    key = context.keyring().returns_key(args.persons)
    taken = asks.take(context.folder, key)
    found, wrong = asks.read(context.folder, key)
    return found, [*(f"{name}: {why}" for name, why in taken.refused), *wrong]


def _list(args: argparse.Namespace, context: Context) -> int:
    from agent.core.clock import day

    folder, console = context.folder, context.console
    with folder.locked():
        found, wrong = _opened(args, context)
    shown = [one for one in found if getattr(args, "all", False) or one.given is None]
    now = _present(folder, shown, context.now())
    rows = [
        [
            one.request.id[:8],
            day(one.request.at),
            one.record.name,
            one.record.class_ or "",
            one.request.address or one.request.about,
            now[one.request.id].value or "not set",
            now[one.request.id].policy,
            _given(one),
            one.request.words,
        ]
        for one in shown
    ]
    console.table(
        rows, head=["id", "day", "laptop", "class", "asks for", "now", "decided by", "answer", "words"]
    )
    if not rows:
        console.say("Nobody waits for an answer.")
    else:
        console.say("Answer: bookbag-fleet asks answer ID --yes|--no --as PERSON")
    for text in wrong:
        console.say(text, "bad")
    console.result({"asks": [_value(one, now[one.request.id]) for one in shown], "problems": wrong})
    return exit_codes.FAILED if wrong else exit_codes.IN_SYNC


def _present(folder: Folder, shown: Sequence[Open], now: int) -> dict[str, asked.Present]:
    """What each is about, as it is now."""
    from agent.fleet import asked, groups, policies
    from agent.policy.desk.preview import compile_each
    from agent.policy.scheduling import At

    site = folder.site()
    laptops = list({one.record.name: one.record for one in shown}.values())
    facts = [groups.facts(site.site, record) for record in laptops]
    made = compile_each(policies.sources(folder, site), facts, [At(now)] * len(facts))
    compiled = dict(zip((one.name for one in laptops), made, strict=True))
    return {one.request.id: asked.present(one.request, compiled[one.record.name]) for one in shown}


def _answer(args: argparse.Namespace, context: Context) -> int:
    from agent.fleet import asked, asks, orders
    from agent.fleet.orders import Wish
    from agent.fleet.upstream import require_current
    from agent.fleet.wanted import read_wanted

    folder, console, now = context.folder, context.console, context.now()
    _check(args, now)
    require_current(folder.root)
    text = giving.texts(args.text, folder.site().languages)
    with folder.locked():
        found, _ = _opened(args, context)
        one = asks.find(found, args.id)
        request, record = one.request, one.record
        if record.state != "assigned":
            raise BookbagError(
                "not-found", f"cannot answer {record.name}: it is {record.state}, not assigned"
            )
        _wanted(args, request.kind, request.about)
        order = {"ask": request.id, "answer": "yes" if args.yes else "no", "text": text}
        source = None
        if args.yes:
            yes = asked.Yes(args.whom, args.persons[0], args.role, args.value, args.until, text)
            source = asked.draft(folder, record, request, yes, now)
            order["policy"] = asked.policy_id(request)
            if args.until:
                order["until"] = args.until
        signers = [context.keyring().person(name) for name in args.persons]
        signed = orders.sign(folder, record, Wish("reply", order, "", life=LIFE), signers, now=now)
        gone = [name for name in asked.withdraw(folder, request) if source is None or name != source.file]
        ended = asked.over(folder, now)
        for name in ended:
            (folder.root / name).unlink()
        if source is not None:
            asked.write(folder, source)
        orders.keep(folder, [signed])
    _say(context, one, source.file if source is not None else "", gone, ended)
    needed = read_wanted(folder).trust.needed("reply")
    if needed > len(signers):
        console.say(f"It needs {needed} persons: bookbag-fleet approve {record.name} --as PERSON", "warn")
    console.say("See what changes, then publish: bookbag-fleet plan; bookbag-fleet publish --as PERSON")
    console.result(
        {
            "ask": request.id,
            "device": record.name,
            "answer": order["answer"],
            "policy": source.file if source is not None else None,
            "withdrawn": [*gone, *ended],
        }
    )
    return exit_codes.IN_SYNC


def _wanted(args: argparse.Namespace, kind: str, about: str) -> None:
    """Raises ``bad-argument`` unless a value is given where there is one to give."""
    setting = kind == "change-setting"
    if (setting and args.yes) == bool(args.value):
        return
    if args.yes and setting:
        remedy = f"say --value VALUE, as a policy has it under {about}"
        raise BookbagError("bad-argument", "cannot tell what the setting shall be", remedy=remedy)
    remedy = "only a yes about a setting has one"
    raise BookbagError("bad-argument", "cannot use --value here", remedy=remedy)


def _say(context: Context, one: Open, written: str, gone: Sequence[str], ended: Sequence[str]) -> None:
    """What was done in the folder."""
    console, request = context.console, one.request
    what = request.address or request.about
    console.say(f"{'Yes' if written else 'No'} to {what} for {one.record.name}.")
    if written:
        console.say(f"Written: {written}; it counts once it is signed and published.")
    for name in gone:
        console.say(f"Taken away, for the earlier answer brought it: {name}", "warn")
    for name in ended:
        console.say(f"Taken away, for its time is over: {name}")


def _check(args: argparse.Namespace, now: int) -> None:
    """What can be said of the command line alone. Raises ``bad-argument``."""
    from agent.core.clock import day
    from agent.fleet import asked

    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON")
    if args.no and not args.text:
        raise BookbagError("bad-argument", "cannot say no without a reason", remedy="say --text WHY")
    if args.no and (args.until or args.whom != "me" or args.role):
        raise BookbagError("bad-argument", "cannot use --for, --until or --role with a no")
    if args.until and not _is_day(args.until):
        raise BookbagError(
            "bad-argument", f"cannot understand --until {args.until!r}", remedy="write 2027-08-01"
        )
    if args.until and args.until < day(now):
        raise BookbagError("bad-argument", f"cannot say yes until {args.until}: that day is over")
    if args.until > day(now + asked.MOST_DAYS * DAY):
        raise BookbagError("bad-argument", "cannot say yes for more than five years")
    if not args.value.isprintable() or len(args.value) > 2000:
        raise BookbagError("bad-argument", "cannot use this --value: it must be one line")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _given(one: Open) -> str:
    if one.given is None:
        return ""
    return "yes" if one.given.reply.yes else "no"


def _value(one: Open, present: asked.Present) -> dict[str, object]:
    """For programs."""
    request, given = one.request, one.given
    told: dict[str, object] = {
        "id": request.id,
        "device": one.record.name,
        "class": one.record.class_,
        "kind": request.kind,
        "about": request.about,
        "address": request.address,
        "words": request.words,
        "at": request.at,
        "now": present.value,
        "decided_by": present.policy,
        "answer": _given(one) or None,
    }
    if given is not None:
        reply = {"text": dict(given.reply.text), "policy": given.reply.policy, "until": given.reply.until}
        told["reply"] = {**reply, "issued": given.issued}
    return told
