"""`bookbag software`: the programs that the school offers on this laptop, and choosing among them without a
password.
"""

from __future__ import annotations

import argparse

from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Client
from agent.core.errors import BookbagError

SUMMARY = "programs that your school offers: see them, have one, give it back"
#: What each state means to whoever looks.
STATES = {
    "offered": "offered",
    "coming": "chosen; on its way",
    "here": "chosen; installed",
    "cannot": "chosen; cannot come",
    "others": "installed, for somebody else chose it",
    "there": "on this laptop anyway",
    "going": "on its way off this laptop",
    "given": "your school installs it everywhere",
    "barred": "your school decided against it here",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which."""
    parser.add_argument("action", nargs="?", choices=("list", "install", "remove"), default="list")
    parser.add_argument("name", nargs="?", metavar="NAME", default="", help="as `bookbag software` lists it")


def run(args: argparse.Namespace) -> int:
    """0, or for the list 2 if something is on its way, 4 if something that was chosen cannot come."""
    if (args.action == "list") == bool(args.name):
        needs = "it takes no NAME" if args.name else "say which program"
        raise BookbagError("bad-argument", f"cannot {args.action}: {needs}", remedy="see `bookbag software`")
    return show(args, Client(layout_of(args)).software(args.action, args.name), text)


def text(result: dict[str, object]) -> str:
    """The shelf for people."""
    listed = result.get("programs")
    rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not rows:
        return "Nothing is offered on this laptop."
    return terminal.table([_row(one) for one in rows])


def _row(one: dict[str, object]) -> tuple[str, str, str, str]:
    name, state = str(one.get("name", "")), str(one.get("state", ""))
    said = STATES.get(state, state)
    if one.get("message"):
        said += f": {one['message']}"
    return name, terminal.in_own_language(one.get("title")), terminal.in_own_language(one.get("about")), said
