"""Answer the challenge that a locked laptop shows, so that it opens without a network.

Somebody reads you eight letters and digits; you read back ten. The code opens that laptop, once.
"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context, add_signing

HELP = "answer a locked laptop's challenge by telephone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which laptop, and what its screen shows."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "challenge", nargs="+", metavar="CHALLENGE", help="as it is read out, such as K7M2-QXDH"
    )
    add_signing(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the code."""
    from agent.trust import unlockcode
    from agent.trust.sealing import unseal

    folder = context.folder
    record = folder.device(args.name)
    challenge = unlockcode.read_challenge(" ".join(args.challenge))
    person = context.keyring().any_person(args.persons)
    path = folder.root / "escrow" / record.name / f"{person.id}.sealed"
    if record.device is None or not path.exists():
        raise BookbagError(
            "bad-key",
            f"cannot answer for {record.name}: its unlock key was not given to {person.id}",
            place=folder.relative(path),
            remedy="ask somebody who was a person of the site when it enrolled",
        )
    key = unseal(folder.read(path), person.seal, purpose="escrow")
    code = unlockcode.answer(key, record.device, challenge)
    context.console.say(f"{code[:5]}-{code[5:]}", "bold")
    context.console.say(f"It opens {record.name} once, while it shows {unlockcode.shown(challenge)}.")
    context.console.result({"device": record.name, "code": code})
    return exit_codes.IN_SYNC
