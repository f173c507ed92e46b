"""Print a JSON Schema of policy documents: an editor that is given it completes the keys of policies, shows
what they are about, and marks what is wrong while it is being written. `init` writes the same to
policy.schema.json; after an update of Bookbag: bookbag-fleet schema > policy.schema.json"""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.fleet.cli.context import Context

HELP = "print what editors need to know of policies (JSON Schema)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing of its own."""


def run(args: argparse.Namespace, context: Context) -> int:
    """Needs no folder."""
    from agent.policy.desk import editors

    context.console.say(editors.text().rstrip("\n"))
    context.console.result(editors.document_schema())
    return exit_codes.IN_SYNC
