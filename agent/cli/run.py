"""`bookbag run`: look after this laptop, in the foreground, until told to stop. What the service does."""

from __future__ import annotations

import os

SUMMARY = "look after this laptop, in the foreground (what the service does)"

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(args: argparse.Namespace) -> int:
    """As `supervise`."""
    return supervise(args.root)


def supervise(root: str) -> int:
    """Run the supervisor for the laptop at ``root``; imports nothing that the resident process must
    not hold.
    """
    import sys

    from agent.core.errors import BookbagError
    from agent.core.layout import Layout
    from agent.daemon import wiring
    from agent.daemon.resident import supervise as start

    layout = Layout(os.path.realpath(root))
    try:
        if not layout.root:
            wiring.check_machine()
        wiring.prepare(layout)
        return start(layout, wiring.open_workers(layout), lambda: wiring.open_watch(layout))
    except BookbagError as problem:
        sys.stderr.write(f"bookbag: {problem}\n")
    except PermissionError as problem:
        sys.stderr.write(
            f"bookbag: cannot start: {problem.strerror}: {problem.filename}; use root, or --root DIR\n"
        )
    return 1
