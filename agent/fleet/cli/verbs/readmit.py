"""Let a laptop back in that lost its memory of what it had accepted. Two persons must sign.

It is told which versions it must hold to, and who it is, anew; what it may take is signed again with the next
publish.
"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.fleet import assignment, orders
from agent.fleet.cli import giving
from agent.fleet.cli.context import Context
from agent.fleet.orders import Wish
from agent.fleet.upstream import require_current
from agent.trust.paths import MAIL

HELP = "let a laptop back in that lost its trust ledger; two persons must sign"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One laptop."""
    parser.add_argument("name", metavar="NAME")
    giving.add_order(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Sign readmission and assignment, and stage targets and roles to be signed anew."""
    from agent.fleet import publication

    folder, console, now = context.folder, context.console, context.now()
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON --as SECOND")
    require_current(folder.root)
    keyring = context.keyring()
    signers = [keyring.person(one) for one in args.persons]
    with folder.locked():
        epoch = folder.site().epoch
        record = orders.counted_in(folder.device(args.name), epoch)
        repository = publication.open_repository(folder)
        marks = {"targets": repository.version("targets"), "root": repository.version("root")}
        numbers = {f"seq.{slot}": seq for slot, seq in record.seqs.items()}
        all_marks: dict[str, int] = {**marks, **numbers, "epoch": epoch}
        wish = Wish("readmit", {"marks": all_marks}, args.reason, life=60 * DAY)
        record, order = orders.give(folder, record, wish, signers, now=now)
        groups = {"school": record.school, "year": record.year, "class": record.class_}
        assignment.assign(folder, record, groups, signers[:1], reason="readmitted", now=now)
        renewed = [
            role
            for role in sorted(repository.expiries())
            if role not in ("root", "snapshot", "timestamp") and role.partition("-")[0] != MAIL
        ]
        for role in renewed:
            repository.renew(role, at=now)
        former = [one for one in orders.read_orders(folder, record.name) if one.draft.order.issued < now]
    console.say(f"{record.name} is let back in by {', '.join(args.persons)} (order {order.id}).")
    console.say(f"To be signed anew, so that it may take them: {', '.join(renewed)}")
    for one in former:
        console.say(f"From before, so it is not obeyed any more; give it again if meant: {one.kind}", "warn")
    console.say("It counts at the next publish: bookbag-fleet publish --as PERSON --as SECOND")
    console.result(
        {"device": record.name, "order": order.id, "renewed": renewed, "former": [one.id for one in former]}
    )
    return exit_codes.IN_SYNC
