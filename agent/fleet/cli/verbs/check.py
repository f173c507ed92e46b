"""Look at the whole folder and list everything that is wrong with it, each with its place and what to do."""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.fleet.cli.context import Context
from agent.fleet.cli.findings import show_findings, values

HELP = "list everything that is wrong with the folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing of its own."""


def run(args: argparse.Namespace, context: Context) -> int:
    """0 without findings, 4 with any."""
    from agent.fleet.checking import blocking, check_folder

    findings = check_folder(context.folder, context.now())
    show_findings(context.console, findings)
    errors = len(blocking(findings))
    if findings:
        context.console.say(f"{errors} errors, {len(findings) - errors} notices")
    else:
        context.console.say("Nothing is wrong.", "good")
    context.console.result({"findings": values(findings), "errors": errors})
    return exit_codes.FAILED if findings else exit_codes.IN_SYNC
