"""Show what publishing the folder would change: which laptops, which settings, from what to what, and who
must sign."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.fleet.cli.console import Console
from agent.fleet.cli.context import Context

if TYPE_CHECKING:
    from agent.fleet.content.changes import ContentChange
    from agent.fleet.planning import Change, FleetPlan, Override

HELP = "show what publishing would change, and who must sign"
_NAMES_SHOWN = 8
_OVERRIDES_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much to show, and in spite of what."""
    parser.add_argument("--all", action="store_true", help="name every laptop")
    parser.add_argument("--despite-tests", action="store_true", help="plan although tests/ fail")


def run(args: argparse.Namespace, context: Context) -> int:
    """0 if publishing would change nothing, 2 if it would, 4 if the folder has errors."""
    from agent.fleet.checking import blocking, check_folder
    from agent.fleet.cli.findings import show_findings, values
    from agent.fleet.planning import make_plan
    from agent.fleet.upstream import behind

    folder, console = context.folder, context.console
    found = check_folder(folder, context.now())
    overdue = [one for one in found if one.code == "overdue"]
    findings = blocking(found, despite_tests=args.despite_tests)
    if findings:
        show_findings(console, findings)
        console.say("Cannot plan while the folder has errors.", "bad")
        console.result({"findings": values(findings)})
        return exit_codes.FAILED
    missing = behind(folder.root)
    if missing:
        console.warn(f"this folder is {missing} commits behind its upstream: git pull before signing")
    plan = make_plan(folder, context.now())
    _show(console, plan, every=args.all)
    show_findings(console, overdue)
    console.result({**_value(plan, missing or 0), "overdue": values(overdue)})
    return exit_codes.IN_SYNC if plan.empty else exit_codes.CHANGED


def _show(console: Console, plan: FleetPlan, *, every: bool) -> None:
    from agent.fleet.cli.outcomes import show_trust

    for change in plan.changes:
        shown = change.devices if every else change.devices[:_NAMES_SHOWN]
        more = f" and {len(change.devices) - len(shown)} more" if len(shown) < len(change.devices) else ""
        console.say(
            f"{len(change.devices)} {_laptops(len(change.devices))}: {', '.join(shown)}{more}", "bold"
        )
        console.table(
            [
                [
                    f"  {line.key}",
                    line.before or "(not managed)",
                    "→",
                    line.after or "(not managed)",
                    line.policy,
                ]
                for line in change.diff.lines
            ]
        )
    for text in plan.refusals:
        console.say(f"would be refused on laptops: {text}", "bad")
    for text in plan.conflicts:
        console.say(f"contradicts something else on laptops: {text}", "bad")
    _show_overrides(console, plan.overrides, every=every)
    if plan.orders:
        console.say(f"New assignments to deliver: {', '.join(plan.orders)}")
    _show_content(console, plan.content)
    show_trust(console, plan.trust)
    for one in plan.to_sign:
        have = f"; signed by {', '.join(one.have)}" if one.have else ""
        console.say(f"To sign: {one.role}: {one.needed} of {', '.join(one.may)}{have}")
    if plan.empty:
        console.say("Nothing to publish: laptops have all of this.", "good")
    else:
        console.say(f"{plan.changing} of {plan.devices} {_laptops(plan.devices)} change.", "warn")


def _show_overrides(console: Console, overrides: Sequence[Override], *, every: bool) -> None:
    """Whoever wrote a line that does not hold is told whose does."""
    if overrides:
        console.say("Said in vain, for another policy decides it:", "bold")
    shown = overrides if every else overrides[:_OVERRIDES_SHOWN]
    console.table(
        [
            [
                f"  {one.said.key}",
                f"{one.said.place} ({one.said.policy})",
                one.said.reason,
                f"on {len(one.devices)} {_laptops(len(one.devices))}",
            ]
            for one in shown
        ]
    )
    if len(shown) < len(overrides):
        console.say(f"  and {len(overrides) - len(shown)} more: --all")


_WHAT = {"new": "new", "files": "new version", "facts": "described anew", "gone": "withdrawn"}


def _show_content(console: Console, changes: Sequence[ContentChange]) -> None:
    from agent.content.sizes import spelled

    if changes:
        console.say("Learning content:", "bold")
    console.table(
        [
            [
                f"  {one.id}",
                one.title,
                _WHAT[one.what],
                f"{one.laptops} {_laptops(one.laptops)}",
                "" if one.what in ("gone", "facts") else _fetched(one.fetch, spelled),
            ]
            for one in changes
        ]
    )


def _fetched(size: int | None, spelled: Callable[[int], str]) -> str:
    return "its files are not on this machine" if size is None else f"{spelled(size)} to fetch on each"


def _laptops(number: int) -> str:
    return "laptop" if number == 1 else "laptops"


def _value(plan: FleetPlan, behind: int) -> dict[str, object]:
    return {
        "devices": plan.devices,
        "changing": plan.changing,
        "changes": [_change(one) for one in plan.changes],
        "to-sign": [
            {"role": one.role, "needed": one.needed, "may": list(one.may), "have": list(one.have)}
            for one in plan.to_sign
        ],
        "orders": list(plan.orders),
        "refusals": list(plan.refusals),
        "conflicts": list(plan.conflicts),
        "overridden": [
            {
                "key": one.said.key,
                "policy": one.said.policy,
                "place": one.said.place,
                "value": one.said.value,
                "by": one.said.by,
                "reason": one.said.reason,
                "devices": list(one.devices),
            }
            for one in plan.overrides
        ],
        "trust": list(plan.trust),
        "content": [
            {
                "role": one.role,
                "id": one.id,
                "what": one.what,
                "laptops": one.laptops,
                "fetch": one.fetch,
                "stored": one.size,
            }
            for one in plan.content
        ],
        "behind": behind,
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "devices": list(change.devices),
        "settings": [
            {
                "key": line.key,
                "before": line.before or None,
                "after": line.after or None,
                "policy": line.policy,
            }
            for line in change.diff.lines
        ],
    }
