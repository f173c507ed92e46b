"""What is arranged for single laptops, by whom, and how many days each has left; opened with the key that
opens returns. What is over is taken away."""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_signing

HELP = "list what is arranged for single laptops, with the days left"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="of laptops; left out: all")
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """0; 4 if one cannot be opened."""
    from agent.core.clock import day
    from agent.fleet import arranged, receipts
    from agent.fleet.wanted import read_wanted
    from agent.trust import dsse

    folder, console, now = context.folder, context.console, context.now()
    records = [folder.device(name) for name in args.names] or list(folder.devices())
    with folder.locked():
        gone = arranged.forget_over(folder, records, now)
    found = [(record, sealed) for record in records if (sealed := arranged.read(folder, record.name))]
    key = context.keyring().returns_key(args.persons) if found else None
    trust = read_wanted(folder).trust
    shown, wrong = [], []
    for record, sealed in found:
        assert key is not None  # noqa: S101
        try:
            one = arranged.opened(record.name, sealed, key)
            signed = dsse.count(one.draft.envelope, trust.entitled(arranged.KIND), 1).persons
        except BookbagError as problem:
            wrong.append(f"{record.name}: {problem.message}")
            continue
        told = {receipt.order: receipt.state for receipt in receipts.read(folder, record.name)}
        shown.append(
            {
                "device": record.name,
                "id": sealed.id,
                "settings": dict(one.settings),
                "until": day(one.until - 1),
                "days_left": max(0, -(-(one.until - now) // DAY)),
                "persons": list(signed),
                "outcome": told.get(sealed.id, ""),
            }
        )
    rows = [
        [
            str(one["device"]),
            str(one["until"]),
            str(one["days_left"]),
            _told(one["settings"]),
            ", ".join(one["persons"]),  # type: ignore[arg-type]
            str(one["outcome"] or "no word yet"),
        ]
        for one in shown
    ]
    console.table(rows, head=["laptop", "until", "days left", "arranged", "signed by", "what came of it"])
    if not rows:
        console.say("Nothing is arranged.")
    for name in gone:
        console.say(f"Taken away, for it is over: {name}")
    for text in wrong:
        console.say(text, "bad")
    console.result({"accommodations": shown, "over": list(gone), "problems": wrong})
    return exit_codes.FAILED if wrong else exit_codes.IN_SYNC


def _told(settings: object) -> str:
    assert isinstance(settings, dict)  # noqa: S101
    rows = (f"{key}: {', '.join(one) if isinstance(one, list) else one}" for key, one in settings.items())
    return "; ".join(sorted(rows)) or "nothing any more"
