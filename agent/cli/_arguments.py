"""What all verbs' command lines share: ``--json``, ``--root``, exit code 64 for a wrong one."""

from __future__ import annotations

import argparse
import os
import sys
from types import ModuleType
from typing import NoReturn

from agent.core.layout import Layout


class Parser(argparse.ArgumentParser):
    """An argument parser that ends with 64 on a wrong command line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how to ask, and exit."""
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}\n  do: see `{self.prog} --help`", file=sys.stderr)
        sys.exit(64)


def parser_for(verb: str, module: ModuleType) -> Parser:
    """The parser of one verb."""
    parser = Parser(prog=f"bookbag {verb}", description=module.SUMMARY, allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="print one JSON value instead of text")
    parser.add_argument(
        "--root", metavar="DIR", default="/", help="look after the laptop in this folder (sandbox)"
    )
    module.add_arguments(parser)
    return parser


def layout_of(args: argparse.Namespace) -> Layout:
    """The laptop that ``--root`` names."""
    return Layout(os.path.realpath(args.root))


def duration(text: str) -> int:
    """``90s``, ``15m``, ``2h``, ``1h30m`` in seconds, for argparse."""
    from agent.daemon.settings import seconds

    total, rest = 0, text
    while rest:
        cut = next((at for at, letter in enumerate(rest) if not letter.isdigit()), len(rest)) + 1
        try:
            total += seconds(rest[:cut])
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a duration such as 90s, 15m or 2h: s, m and h are the units"
            ) from None
        rest = rest[cut:]
    if not total:
        raise argparse.ArgumentTypeError("a duration must be longer than nothing")
    return total
