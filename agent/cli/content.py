"""`bookbag content`: the learning content that is meant for this laptop: what is here, what is not, and
why."""

from __future__ import annotations

import argparse

from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.client import Client
from agent.content.sizes import spelled
from agent.core import exit_codes

SUMMARY = "what learning content is here, what is not yet, and why"
#: What each state means to somebody who waits.
STATES = {
    "ready": "here",
    "updating": "here; a newer version is on its way",
    "waiting": "waits for a network or a stick",
    "fetching": "on its way",
    "over-quota": "no room",
    "mending": "damaged on the disk, fetched again",
    "refused": "broken; its editor has to publish it again",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which, if not all."""
    parser.add_argument(
        "--want", metavar="ITEM", help="fetch this item before all others, as when a student opens it"
    )


def run(args: argparse.Namespace) -> int:
    """Show it; 0 if all of it is here, 2 if some is still to come, 4 if some of it cannot come."""
    answer = Client(layout_of(args)).content(args.want or "")
    for problem in answer.errors:
        terminal.fail(problem, as_json=args.json)
    if answer.errors:
        return exit_codes.COULD_NOT_RUN
    value = answer.result
    rows = value.get("items")
    items = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    if args.json:
        terminal.print_json(value)
    else:
        print(_text(value, items))
    states = {str(row.get("state", "")) for row in items}
    if states & {"over-quota", "refused", "mending"}:
        return exit_codes.FAILED
    return exit_codes.CHANGED if states - {"ready"} else exit_codes.IN_SYNC


def _text(value: dict[str, object], items: list[dict[str, object]]) -> str:
    if not value.get("known"):
        return "Nothing is known yet: no learning content was offered to this laptop."
    text = [terminal.table([_row(item) for item in items])] if items else []
    used, room = _amount(value.get("used")), _amount(value.get("room"))
    if used and room:
        text.append(f"{used} of {room} are used.")
    others = value.get("others")
    if isinstance(others, int) and 0 < others < 1 << 31:
        text.append(f"{others} more are offered to other laptops of the site.")
    return "\n".join(text)


def _row(item: dict[str, object]) -> tuple[str, str, str, str]:
    state = str(item.get("state", ""))
    percent = item.get("percent")
    said = STATES.get(state, state)
    if state in ("fetching", "updating") and isinstance(percent, int):
        said += f" ({percent} %)"
    if item.get("message"):
        said += f": {item['message']}"
    return str(item.get("key", "")), str(item.get("title", "")), _amount(item.get("stored")), said


def _amount(value: object) -> str:
    """Bytes, as people read them; "" for what is no amount: the content worker's word is not root's."""
    return spelled(value) if isinstance(value, int) and 0 <= value < 1 << 63 else ""
