"""Add a person's signature to what is staged, after it was compared with this folder field by field; with the
NAMEs of laptops, to the orders that wait for them.

With --list: what waits for whom. When the last signature comes on the machine with the online keys, it is
published at once. What destroys something is never signed in passing: name its laptop.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_signing

if TYPE_CHECKING:
    from agent.fleet.keyfile import PersonKeys
    from agent.fleet.orders import OrderFile
    from agent.trust.persons import TrustDocument

HELP = "add your signature to what is staged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who signs, or just look."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="sign the orders for these laptops instead")
    parser.add_argument("--list", action="store_true", help="only show what waits for whom")
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """List, or sign and publish what is then complete."""
    from agent.fleet import publication
    from agent.fleet.cli.outcomes import (
        lacking_value,
        report,
        show_lacking,
        show_trust,
        show_waiting,
        waiting_value,
    )
    from agent.fleet.cli.signing import opened, require_same
    from agent.fleet.mailing import waiting_orders
    from agent.fleet.trustchange import trust_changes
    from agent.fleet.upstream import require_current
    from agent.fleet.wanted import read_wanted

    folder = context.folder
    repository = publication.open_repository(folder)
    if args.list:
        pending = repository.pending()
        show_waiting(context.console, pending)
        wanted = read_wanted(folder)
        lacking = waiting_orders(folder, wanted.trust, context.now())
        show_lacking(context.console, lacking)
        if not pending and not lacking:
            context.console.say("Nothing waits for a signature.")
        changes = trust_changes(folder, wanted)
        show_trust(context.console, changes)
        context.console.result(
            {
                "waiting": [waiting_value(one) for one in pending],
                "orders": [lacking_value(one) for one in lacking],
                "trust": list(changes),
            }
        )
        return exit_codes.IN_SYNC
    if args.names:
        return _sign_orders(args, context)
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON, or --list")
    require_current(folder.root)
    wanted = read_wanted(folder)
    keyring = opened(context, wanted)
    with folder.locked():
        require_current(folder.root)  # once more: a passphrase may have been looked for since yesterday
        require_same(folder, wanted)
        signed = publication.sign_all(folder, repository, wanted, keyring, args.persons, context.now())
        if not signed:
            context.console.say(f"Nothing waits for {', '.join(args.persons)}.")
            context.console.result({"signed": [], "published": []})
            return exit_codes.IN_SYNC
        outcome = publication.finish(folder, repository, wanted, context.now(), signed=signed)
    report(context.console, outcome)
    return exit_codes.IN_SYNC


def _sign_orders(args: argparse.Namespace, context: Context) -> int:
    """Show each order in full, then sign it, where it lacks this person's signature."""
    from agent.fleet import orders
    from agent.fleet.mailing import waiting_orders
    from agent.fleet.upstream import require_current
    from agent.fleet.wanted import read_wanted

    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON, or --list")
    folder, console = context.folder, context.console
    require_current(folder.root)
    keyring = context.keyring()
    keys = [keyring.person(person) for person in args.persons]
    with folder.locked():
        require_current(folder.root)  # once more, as above
        trust = read_wanted(folder).trust
        lacking = {one.id for one in waiting_orders(folder, trust, context.now())}
        waiting = [
            order
            for name in args.names
            for order in orders.read_orders(folder, folder.device(name).name)
            if order.id in lacking
        ]
        signed = [one for one in (_sign(order, keys, trust, context) for order in waiting) if one]
    if not signed:
        console.say(f"No order for {', '.join(args.names)} waits for {', '.join(args.persons)}.")
    else:
        console.say("It counts at the next publish: bookbag-fleet publish")
    console.result({"orders": signed})
    return exit_codes.IN_SYNC


def _sign(
    order: OrderFile, keys: Sequence[PersonKeys], trust: TrustDocument, context: Context
) -> dict[str, object] | None:
    """What became of one order; None if none of these persons may add to it."""
    from agent.fleet.cli import giving
    from agent.fleet.orders import add_signature

    have = order.signed_by(trust)
    missing = [one for one in keys if one.id not in have and one.id in order.may_sign(trust)]
    if not missing:
        return None
    context.console.say(giving.describe(order, have), "bold")
    for person in missing:
        order = add_signature(context.folder, order, person)
    have = order.signed_by(trust)
    context.console.say(f"signed     {order.kind} {order.laptop}: now by {', '.join(have)}")
    return giving.value(order, have, trust.needed(order.kind))
