"""The entry point of `bookbag-fleet`: finds the verbs, parses the command line, runs one, turns errors into
exit codes."""

from __future__ import annotations

import argparse
import difflib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from agent import __version__
from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.fleet.cli import listing
from agent.fleet.cli.console import Console
from agent.fleet.cli.context import Context, add_common
from agent.fleet.cli.listing import Verb


class _Parser(argparse.ArgumentParser):
    """argparse that exits with 64 (USAGE) and speaks like the rest of us."""

    verb: str | None = None  #: whose help answers what this parser could not understand

    def error(self, message: str) -> NoReturn:
        asked = f"{self.prog} {self.verb}" if self.verb else self.prog
        self.exit(
            exit_codes.USAGE,
            f"{self.prog}: cannot understand the command line: {message}\n  what to do: see {asked} --help\n",
        )


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole command line; with ``only``, as much of it as that verb needs, so that nothing else is
    imported."""
    parser = _Parser(
        prog="bookbag-fleet",
        description="IT's side of Bookbag: people, policies and devices in one folder, signed and published.",
        epilog="Exit codes: 0 done; 1 could not run; 2 changes pending; 4 findings or failures; 64 usage.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"bookbag-fleet {__version__}")
    parser.verb = only
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in [listing.verb(only)] if only else listing.verbs():
        sub = subparsers.add_parser(verb.name, help=verb.module.HELP, description=verb.module.__doc__)
        add_common(sub)
        verb.module.add_arguments(sub)
    return parser


def run(verb: Verb, args: argparse.Namespace, *, now: Callable[[], int] | None = None) -> int:
    """Run one parsed verb; every way it can end becomes an exit code."""
    console = Console(as_json=args.json)
    try:
        code = verb.module.run(args, Context(args, console, now))
        sys.stdout.flush()  # here, where a reader that has gone is told apart
        return code
    except BookbagError as error:
        console.fail(error)
        return exit_codes.USAGE if error.code == "bad-argument" else exit_codes.COULD_NOT_RUN
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.COULD_NOT_RUN
    except OSError as error:
        console.fail(explained(error, "go on", str(error.filename or "")))
        return exit_codes.COULD_NOT_RUN
    except (
        Exception
    ) as error:  # a defect of ours: say so in the same form, and keep the trace for whoever mends it
        traceback.print_exc()
        console.fail(BookbagError("internal", f"cannot go on: {type(error).__name__}: {error}"))
        return exit_codes.COULD_NOT_RUN


def main(argv: Sequence[str] | None = None, *, now: Callable[[], int] | None = None) -> int:
    """Run ``bookbag-fleet``; returns the exit code. ``now`` replaces the clock (unix seconds)."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        build_parser().print_help(sys.stderr)
        return exit_codes.USAGE
    if not words[0].startswith("-") and words[0] not in listing.names():
        near = difflib.get_close_matches(words[0], listing.names(), n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "see bookbag-fleet --help"
        Console(as_json=False).fail(BookbagError("bad-argument", f"cannot do {words[0]!r}", remedy=remedy))
        return exit_codes.USAGE
    only = words[0] if words[0] in listing.names() else None
    try:
        args = build_parser(only).parse_args(words)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else exit_codes.USAGE
    except KeyboardInterrupt:  # while the verb was being imported: on a slow machine that takes a while
        return exit_codes.INTERRUPTED
    return run(listing.verb(args.verb), args, now=now)


def program() -> int:
    """The command itself. Who ends it otherwise than by Ctrl-C lets it tidy up behind it too: a draft of a
    folder has keys in it. What was told to outlive its terminal goes on doing so.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(program())
