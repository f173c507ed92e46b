"""What laptops say came of their orders: opened with a person's key, believed for the laptop's own signature.

With names: everything that these laptops told, and of one that was erased its certificate. Without: what is
new.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.fleet.cli.context import Context, add_signing

if TYPE_CHECKING:
    from agent.trust.receipts import Receipt

HELP = "open the receipts that came back; show what came of orders"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose."""
    parser.add_argument("names", nargs="*", metavar="NAME")
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """0 if all is well; 4 if a receipt was refused, one is missing, or laptops saw different logs."""
    from agent.core.clock import day
    from agent.fleet import enrolments, receipts
    from agent.fleet.refused import set_aside
    from agent.trust.receipts import check_chain

    folder, console = context.folder, context.console
    for name in args.names:  # before a passphrase is asked for
        folder.device(name)
    key = context.keyring().returns_key(args.persons)
    with folder.locked():
        taken = receipts.take(folder, key)
        set_aside(folder, dead := enrolments.dead(folder, context.now()))
    shown = [(name, one) for name in args.names for one in receipts.read(folder, name)]
    rows = shown if args.names else list(taken.new)
    console.table(
        [[name, day(one.at), one.kind, one.state, one.code, one.message[:80]] for name, one in rows],
        head=["laptop", "day", "order", "state", "code", ""],
    )
    if not rows:
        console.say("No receipts." if args.names else "Nothing new came back.")
    if dead:
        console.say(f"Put aside, for their tokens are used or out of date: {len(dead)} enrolments.", "warn")
    for name, one in rows if args.names else ():
        if one.state == "done" and "standard" in one.evidence:
            console.say()
            console.say(f"Certificate of {name}, receipt {one.n}, order {one.order}", "bold")
            console.table(list(_certificate(one)))
    problems = [f"{name}: {why}" for name, why in taken.refused]
    for name in args.names or sorted({name for name, _ in taken.new}):
        broken = check_chain(receipts.read(folder, name))
        problems += [f"{name}: {broken}"] if broken else []
    problems += receipts.forks(folder)
    for text in problems:
        console.say(text, "bad")
    console.result(
        {
            "receipts": [_value(name, one) for name, one in rows],
            "problems": problems,
        }
    )
    return exit_codes.FAILED if problems else exit_codes.IN_SYNC


def _certificate(receipt: Receipt) -> Iterator[tuple[str, str]]:
    """The fields of a certificate of erasure, for people."""
    from agent.core.clock import day

    for field, value in receipt.evidence.items():
        name = field.replace("-", " ")
        for number, one in enumerate(value if isinstance(value, (list, tuple)) else [value]):
            label = "" if number else name
            if isinstance(one, Mapping):
                yield label, ", ".join(f"{key.replace('-', ' ')} {part}" for key, part in one.items())
            elif field.endswith("-at") and isinstance(one, int):
                yield label, day(one)
            else:
                yield label, str(one)


def _value(laptop: str, receipt: Receipt) -> dict[str, object]:
    """For programs."""
    named = ("n", "order", "kind", "state", "final", "code", "message", "at", "quality")
    return {
        "device": laptop,
        **{name: getattr(receipt, name) for name in named},
        "evidence": dict(receipt.evidence),
    }
