"""Print shell completion: eval "$(bookbag-fleet completion bash)"."""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.fleet.cli.completion import script
from agent.fleet.cli.context import Context

HELP = "print shell completion for bash or zsh"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=("bash", "zsh"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the script."""
    from agent.fleet.cli.main import build_parser

    text = script(args.shell, build_parser())
    context.console.say(text, end="")
    context.console.result({"script": text})
    return exit_codes.IN_SYNC
