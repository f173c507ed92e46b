"""Begin a policy with one of the templates that come with Bookbag. Without NAME they are listed. The template
goes to policies/ROLE/NAME.yaml and its tests to tests/NAME.yaml; put your groups, hours and addresses into
both."""

from __future__ import annotations

import argparse

from agent.core import exit_codes
from agent.fleet.cli.context import Context

HELP = "begin a policy with a template, or list the templates"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, and for whom to sign."""
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="as in the list")
    parser.add_argument("--device", default="", metavar="NAME", help="the laptop, where it is for one only")
    parser.add_argument("--role", default="", help="the role that publishes it (default: the only one)")


def run(args: argparse.Namespace, context: Context) -> int:
    """The list needs no folder. Exit 1 if a file of that name is there already."""
    from agent.fleet import templates

    console = context.console
    if not args.name:
        found = list(templates.described())
        console.table([[name, about] for name, about in found], head=["template", "what it is for"])
        console.result({"templates": [{"name": name, "about": about} for name, about in found]})
        return exit_codes.IN_SYNC
    folder = context.folder
    with folder.locked():
        written = templates.add(folder, args.name, args.role, args.device)
    for path in written:
        console.say(f"written    {path}", "good")
    console.say("Edit them, then: bookbag-fleet check")
    console.result({"written": list(written)})
    return exit_codes.IN_SYNC
