"""Replace keys and certificates: `online` (the publisher's keys, after a theft or from time to time),
`server`, `root`.

`online` stages a new root that two persons sign with publish; laptops see no gap. `server` needs one person
who can open the
site's certificate authority. `root` only signs root again with a later expiry.
"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_signing

HELP = "replace online keys or the server certificate; renew root"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to replace."""
    parser.add_argument("what", choices=("online", "server", "root"))
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Rotate."""
    with context.folder.locked():
        return {"online": _online, "server": _server, "root": _root}[args.what](args, context)


def _online(args: argparse.Namespace, context: Context) -> int:
    from agent.fleet import onlinekeys, rotation

    folder = context.folder
    onlinekeys.load(folder)  # only where the present ones are: they sign once more beside the new ones
    rotation.rotate_online(folder, context.now())
    context.console.say(
        "New online keys are ready. They count once root and targets are signed by two persons:"
    )
    context.console.say("  bookbag-fleet publish --as PERSON --as SECOND")
    context.console.result({"rotated": "online"})
    return exit_codes.IN_SYNC


def _server(args: argparse.Namespace, context: Context) -> int:
    from agent.core.clock import day
    from agent.fleet import certificates, rotation
    from agent.fleet.keyring import CA

    folder = context.folder
    if not args.persons:
        raise BookbagError(
            "bad-argument", "cannot open the certificate authority as nobody", remedy="say --as PERSON"
        )
    authority = context.keyring().shared(CA, args.persons)
    certificate = rotation.new_server(folder, authority, context.now())
    expires = certificates.expiry(certificate)
    context.console.say(f"New server certificate, good until {day(expires)}; restart serve.")
    context.console.result({"rotated": "server", "expires": expires})
    return exit_codes.IN_SYNC


def _root(args: argparse.Namespace, context: Context) -> int:
    from agent.fleet import publication

    publication.open_repository(context.folder).renew("root", at=context.now())
    context.console.say("A later root is staged; two persons sign it: bookbag-fleet publish --as … --as …")
    context.console.result({"rotated": "root"})
    return exit_codes.IN_SYNC
