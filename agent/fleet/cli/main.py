"""The entry point of `bookbag-fleet`: finds the verbs, parses the command line, runs one, turns errors into
exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.console import Console
from agent.fleet.cli.context import Context, add_common
from agent.fleet.cli.listing import Verb, verbs


class _Parser(argparse.ArgumentParser):
    """argparse that exits with 64 (USAGE) and speaks like the rest of us."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(exit_codes.USAGE, f"{self.prog}: cannot understand the command line: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="bookbag-fleet",
        description="IT's side of Bookbag: people, policies and devices in one folder, signed and published.",
        epilog="Exit codes: 0 done; 1 could not run; 2 changes pending; 4 findings or failures; 64 usage.",
    )
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in verbs():
        sub = subparsers.add_parser(verb.name, help=verb.module.HELP, description=verb.module.__doc__)
        add_common(sub)
        verb.module.add_arguments(sub)
    return parser


def run(verb: Verb, args: argparse.Namespace, *, now: Callable[[], int] | None = None) -> int:
    """Run one parsed verb; every way it can end becomes an exit code."""
    console = Console(as_json=args.json)
    try:
        return verb.module.run(args, Context(args, console, now))
    except BookbagError as error:
        console.fail(error)
        return exit_codes.USAGE if error.code == "bad-argument" else exit_codes.COULD_NOT_RUN
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.COULD_NOT_RUN
    except OSError as error:
        place = str(error.filename or "")
        code = "disk-full" if error.errno in (28, 122) else "bad-path"
        console.fail(BookbagError(code, f"cannot go on: {error.strerror or error}", place=place))
        return exit_codes.COULD_NOT_RUN


def main(argv: Sequence[str] | None = None, *, now: Callable[[], int] | None = None) -> int:
    """Run ``bookbag-fleet``; returns the exit code. ``now`` replaces the clock (unix seconds)."""
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else exit_codes.USAGE
    by_name = {verb.name: verb for verb in verbs()}
    return run(by_name[args.verb], args, now=now)


if __name__ == "__main__":
    sys.exit(main())
