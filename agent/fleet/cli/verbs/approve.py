"""Add a person's signature to what is staged, after it was compared with this folder field by field.

With --list: what waits for whom. When the last signature comes on the machine with the online keys, it is
published at once.
"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_signing

HELP = "add your signature to what is staged"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who signs, or just look."""
    parser.add_argument("--list", action="store_true", help="only show what waits for whom")
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """List, or sign and publish what is then complete."""
    from agent.fleet import publication
    from agent.fleet.cli.outcomes import report, show_trust, show_waiting, waiting_value
    from agent.fleet.trustchange import trust_changes
    from agent.fleet.upstream import require_current
    from agent.fleet.wanted import read_wanted

    folder = context.folder
    repository = publication.open_repository(folder)
    if args.list:
        pending = repository.pending()
        show_waiting(context.console, pending)
        if not pending:
            context.console.say("Nothing waits for a signature.")
        changes = trust_changes(folder, read_wanted(folder))
        show_trust(context.console, changes)
        context.console.result({"waiting": [waiting_value(one) for one in pending], "trust": list(changes)})
        return exit_codes.IN_SYNC
    if not args.persons:
        raise BookbagError("bad-argument", "cannot sign as nobody", remedy="say --as PERSON, or --list")
    require_current(folder.root)
    with folder.locked():
        wanted = read_wanted(folder)
        show_trust(context.console, trust_changes(folder, wanted))
        keyring = context.keyring()
        for person in args.persons:
            keyring.person(person)
        signed = publication.sign_all(folder, repository, wanted, keyring, args.persons, context.now())
        if not signed:
            context.console.say(f"Nothing waits for {', '.join(args.persons)}.")
            context.console.result({"signed": [], "published": []})
            return exit_codes.IN_SYNC
        outcome = publication.finish(folder, repository, wanted, context.now(), signed=signed)
    report(context.console, outcome)
    return exit_codes.IN_SYNC
