"""`bookbag explain KEY`: who decided a setting, in which file and line, why, what it overrode, and what was
there before.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from agent.cli import _terminal as terminal
from agent.cli._arguments import layout_of
from agent.cli._reply import show
from agent.client import Client

SUMMARY = "who decided a setting or file, why, and what was there before"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which."""
    parser.add_argument(
        "key", metavar="KEY", help="a setting (browser.homepage) or a resource (file:/etc/motd)"
    )


def run(args: argparse.Namespace) -> int:
    """Exit 1 if nothing of that name is decided."""
    return show(args, Client(layout_of(args)).explain(args.key), text)


def text(result: dict[str, object]) -> str:
    """The explanation for people, its reason in their language if the school gave one."""
    value = result.get("value") or "nobody decides it now"
    lines = [terminal.paint(terminal.plain(f"{result.get('key')}: {value}"), "bold")]
    if result.get("observe"):
        lines.append("only observed: the policy reports what it would change")
    if reason := terminal.in_own_language(result.get("why")):
        lines.append(terminal.plain(reason))
    rows = list(_arranged(result))
    rows += [row for one in _rows(result.get("said_by")) for row in _by(one)]
    if result.get("final"):
        rows.append(("final", f"policy {result['final']} lets others only tighten it"))
    rows += [
        ("overrode", f"{_said(one)}: {one.get('value')} ({one.get('reason')})")
        for one in _rows(result.get("overrode"))
    ]
    for title, name in (("refused", "refusals"), ("conflict", "conflicts")):
        said = result.get(name)
        rows += [(title, str(one)) for one in (said if isinstance(said, list) else ())]
    for one in _rows(result.get("effects")):
        rows.append(("on disk", _on_disk(one)))
        if not one.get("in_force") and one.get("message"):
            rows.append(("why not", f"{one.get('outcome')}: {one.get('message')}"))
        rows.append(("before", str(one.get("before") or "not touched yet")))
        if since := terminal.moment(one.get("since")):
            rows.append(("since", since))
        if one.get("healed"):
            rows.append(
                (
                    "put back",
                    f"{terminal.times(one.get('healed'))}, last {terminal.moment(one.get('healed_last'))}",
                )
            )
    for one in _rows(result.get("ahead")):
        rows += _while(one)
    lines.append(terminal.table(rows, indent="  "))
    return "\n".join(lines)


def _arranged(result: dict[str, object]) -> Iterator[tuple[str, str]]:
    """What is arranged for whoever has this laptop; what exactly, the portal tells them alone."""
    if until := terminal.moment(result.get("arranged")):
        held = result.get("held_by")
        yield (
            "arranged",
            f"for whoever has this laptop, until {until}"
            + (f"; not in force: policy {held} made its value final" if held else ""),
        )


def _on_disk(one: dict[str, object]) -> str:
    """What is there, whether that is as decided, and whether somebody here chose it out of an offer."""
    chosen = " (offered by the policy, chosen here)" if one.get("chosen") else ""
    return f"{one.get('resource')}: {one.get('now')}{'' if one.get('in_force') else ', not in force'}{chosen}"


def _while(one: dict[str, object]) -> Iterator[tuple[str, str]]:
    """What it will be when a timetable is on."""
    watched = " (only observed)" if one.get("observe") else ""
    said = _rows(one.get("said_by"))
    value = f"{one.get('value')}{watched}" if said else "nobody decides it"
    yield "while on", f"{one.get('timetable')}: {value}"
    yield from (("set by", _said(by)) for by in said)


def _by(one: dict[str, object]) -> Iterator[tuple[str, str]]:
    yield "set by", _said(one)
    if when := one.get("when"):
        doubt = "" if one.get("certain") else "; the time is not known, so what is stricter holds"
        yield "when", f"{'' if str(when).startswith('outside ') else 'during '}{when}{doubt}"
    if one.get("overdue"):
        yield "review", f"was due by {one.get('review_by')}; it stays in force"


def _said(one: dict[str, object]) -> str:
    standing = f"policy {one.get('policy')} ({one.get('rank')}), {one.get('place')}"
    return f"{standing}, signed for {one.get('role')}; ask {one.get('owner')}"


def _rows(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
