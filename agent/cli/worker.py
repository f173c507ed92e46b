"""`bookbag worker NAME`: one short-lived worker, as the supervisor or the service manager starts it."""

from __future__ import annotations

import argparse

from agent.daemon import worker

SUMMARY = "run one worker: a JSON request on standard input, events on standard output"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The worker's name."""
    parser.add_argument("name", choices=worker.NAMES)


def run(args: argparse.Namespace) -> int:
    """Only reached for ``--help``; `agent.cli.main` starts workers without argparse."""
    return worker.main(args.name, args.root)
