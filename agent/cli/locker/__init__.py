"""`bookbag locker`: the screen of a locked laptop. Says why, whom to ask and what to tell them, and takes the
answer that opens it.

Plain text on any terminal, a console or a serial line; no key leads out of it. Its service starts it on a
locked laptop (installer/systemd/bookbag-locker@.service), as a user without rights: it reads what root
published about the lock, and asks the supervisor whether an answer is right.
"""

from __future__ import annotations

import argparse
import os
import sys

from agent.cli._arguments import layout_of
from agent.core.errors import BookbagError

SUMMARY = "the screen of a locked laptop: why, whom to ask, where to type the answer"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether it stays where nothing is locked."""
    parser.add_argument(
        "--stay", action="store_true", help="also where no lock is known of (its service uses this)"
    )


def run(args: argparse.Namespace) -> int:
    """Take over the terminal; ends when that is gone."""
    from agent.cli.locker.notice import read
    from agent.cli.locker.session import Session, own_language
    from agent.cli.locker.terminal import taken

    layout = layout_of(args)
    if not args.stay and not read(f"{layout.public}/lock.json").locked:
        print("This laptop is not locked.")
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BookbagError("bad-argument", "cannot show the locker: it needs a terminal")
    with taken(sys.stdin.fileno()) as terminal:
        Session(layout, terminal, own_language(), os.environ.get("TERM", "")).run()
    return 0
