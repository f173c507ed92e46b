"""Arrange for one student what the others do not have: a screen reader, larger text, a keyboard layout.

It is sealed to that student's laptop, ends by itself, and holds in an exam too, over what a policy of the
signer's own role made final. What is arranged anew takes the place of everything arranged before.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_signing

if TYPE_CHECKING:
    from agent.fleet.folder import Folder
    from agent.fleet.records import DeviceRecord
    from agent.policy.document import Source
    from agent.trust.persons import TrustDocument

#: What is often arranged together, to begin from; --set adds to it, or says otherwise.
TEMPLATES: Mapping[str, Mapping[str, str]] = {
    "low-vision": {
        "accessibility.cursor-size": "larger",
        "accessibility.high-contrast": "on",
        "accessibility.magnifier": "2x",
        "accessibility.text-size": "largest",
    }
}
HELP = "arrange assistive technology for one student's laptop, for a time"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """For whom, what, and how long."""
    parser.add_argument("name", metavar="NAME", help="of the laptop")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting and its value, as in a policy; all of them at once, newly said each time",
    )
    parser.add_argument("--like", choices=tuple(TEMPLATES), help="what is often arranged together")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--until", default="", metavar="YYYY-MM-DD", help="the last day, 400 days off at most")
    way.add_argument("--end", action="store_true", help="end what is arranged")
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign the order, and seal it."""
    from agent.fleet import arranged, orders
    from agent.fleet.orders import Wish
    from agent.fleet.upstream import require_current
    from agent.fleet.wanted import read_wanted

    folder, console, now = context.folder, context.console, context.now()
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON")
    if bool(args.set or args.like) == args.end:
        raise BookbagError(
            "bad-argument", "cannot tell what to arrange", remedy="say --set KEY=VALUE, or --end"
        )
    values = {**TEMPLATES.get(args.like, {}), **_values(args.set)}
    require_current(folder.root)
    with folder.locked():
        record = folder.device(args.name)
        if record.state != "assigned":
            raise BookbagError(
                "not-found", f"cannot arrange anything for {record.name}: it is {record.state}, not assigned"
            )
        trust = read_wanted(folder).trust
        _require_persons(trust, args.persons)
        if values:
            _require_effect(folder, record, values, _roles(trust, args.persons))
        left = _left(folder, record, now, needed=not values)
        life = _life(args.until, now) if values else left
        keyring = context.keyring()
        # It can arrive for as long as an earlier one holds on a laptop that heard of nothing else.
        wish = Wish(arranged.KIND, arranged.args(values, now + life), life=max(life, left))
        signers = [keyring.person(name) for name in args.persons]
        made = arranged.keep(folder, orders.sign(folder, record, wish, signers, now=now))
    what = f"arranged until {args.until}" if values else "what was arranged ends"
    console.say(f"{record.name}: {what} (order {made.id})")
    console.say("It counts at the next publish: bookbag-fleet publish")
    console.result({"device": record.name, "id": made.id, "expires": now + life, "settings": sorted(values)})
    return exit_codes.IN_SYNC


def _values(given: Sequence[str]) -> dict[str, object]:
    """Setting → value, each as its setting reads it. Raises ``bad-argument``."""
    from agent.policy.arranging import value_of
    from agent.policy.syntax import yamltext
    from agent.policy.syntax.nodes import Scalar
    from agent.policy.syntax.nodes import Sequence as SequenceNode
    from agent.trust.orderargs import MOST_ARRANGED

    found: dict[str, object] = {}
    for one in given:
        key, mark, text = one.partition("=")
        if not mark or key in found or len(text) > 500:
            raise BookbagError(
                "bad-argument", f"cannot understand --set {one[:80]!r}", remedy="write KEY=VALUE"
            )
        try:
            node = yamltext.load(text.encode(), key)
            plain: object = None
            if isinstance(node, Scalar):
                plain = str(node.value)
            elif isinstance(node, SequenceNode):
                plain = [str(item.value) if isinstance(item, Scalar) else None for item in node.items]
            value_of(key, plain)
        except BookbagError as problem:
            raise BookbagError("bad-argument", problem.message, remedy=problem.remedy) from None
        found[key] = plain
    if len(found) > MOST_ARRANGED:
        raise BookbagError("bad-argument", f"cannot arrange more than {MOST_ARRANGED} settings")
    return found


def _require_persons(trust: TrustDocument, persons: Sequence[str]) -> None:
    """Sealed, it cannot gather signatures: whoever has to sign does so now."""
    from agent.fleet.arranged import KIND

    entitled = {person.id for person in trust.entitled(KIND)}
    have, needed = entitled & set(persons), trust.needed(KIND)
    if len(have) < needed:
        raise BookbagError(
            "under-signed",
            f"cannot arrange this: it needs {needed} of {', '.join(sorted(entitled))}",
            remedy="say --as for each of them, at one desk",
        )


def _roles(trust: TrustDocument, persons: Sequence[str]) -> tuple[str, ...]:
    """What the laptop will make of the signers: those who are not entitled do not count there."""
    from agent.fleet.arranged import KIND

    return trust.speaking_for({person.id for person in trust.entitled(KIND)} & set(persons))


def _require_effect(
    folder: Folder, record: DeviceRecord, values: Mapping[str, object], roles: tuple[str, ...]
) -> None:
    """Raises ``not-allowed`` where a policy of the folder would keep it from being in force, at any time."""
    from agent.fleet import groups, policies
    from agent.policy.arranging import Arrangement
    from agent.policy.compile import compile_site
    from agent.policy.document import read_document
    from agent.policy.scheduling import During, names
    from agent.policy.syntax.problems import Problems

    site = folder.site()
    sources, facts = policies.sources(folder, site), groups.facts(site.site, record)
    documents = [one for one in (read_document(source, Problems()) for source in sources) if one is not None]
    arrangement = Arrangement("", values, roles, 1)
    for during in (During(), *(During(frozenset([name])) for name in names(documents))):
        compiled = compile_site(sources, facts, None, during, arrangement=arrangement)
        for key, row in compiled.arranged.items():
            if held := row["held_by"]:
                owner = next(
                    (_owner(one.source) for one in documents if one.id == held), "somebody of its role has"
                )
                raise BookbagError(
                    "not-allowed",
                    f"cannot arrange {key}: policy {held} made its value final",
                    remedy=f"{owner} to sign: --as PERSON",
                )


def _owner(source: Source) -> str:
    return f"two persons of {source.role} have" if source.power else f"somebody of {source.role} has"


def _life(until: str, now: int) -> int:
    """Seconds from now to the end of the day ``until``. Raises ``bad-argument``."""
    from agent.trust.floors import ARRANGED

    try:
        day = date.fromisoformat(until)
    except ValueError:
        day = None
    if day is None or day.isoformat() != until:
        raise BookbagError("bad-argument", f"cannot understand --until {until!r}", remedy="write 2027-08-01")
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC).timestamp()
    if not 0 < end - now <= ARRANGED:
        most = ARRANGED // DAY
        raise BookbagError(
            "bad-argument", f"cannot arrange until {until}: it ends within {most} days from now"
        )
    return int(end) - now


def _left(folder: Folder, record: DeviceRecord, now: int, *, needed: bool) -> int:
    """How long what is there could still be in force somewhere; 0: nothing is. Raises ``not-found`` if it is
    ``needed``."""
    from agent.fleet import arranged
    from agent.trust.floors import ARRANGED

    try:
        found = arranged.live(folder, record, now)
    except BookbagError:
        if needed:
            raise
        return ARRANGED  # nobody can tell
    if found is None and not needed:
        return 0
    if found is None:
        raise BookbagError("not-found", f"cannot end it: nothing is arranged for {record.name}")
    return found.expires - now
