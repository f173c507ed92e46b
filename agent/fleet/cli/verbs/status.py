"""Where the site stands: what is published, until when, who signed it, what waits, and the laptops."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.core import exit_codes
from agent.core.errors import BookbagError
from agent.fleet.cli.context import Context

if TYPE_CHECKING:
    from agent.fleet.inforce import InForce
    from agent.fleet.records import DeviceRecord

HELP = "what is published, until when, by whom; what waits; the laptops; which settings are not in force"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing of its own."""


def run(args: argparse.Namespace, context: Context) -> int:
    """0 in sync; 2 if something waits to be signed, published or assigned; 4 if something published has
    expired."""
    from agent.core.clock import day
    from agent.fleet import policies, publication, publiclog
    from agent.fleet.cli.findings import show_findings, values
    from agent.fleet.cli.outcomes import show_waiting, waiting_value
    from agent.fleet.inforce import HEAD as HEAD_IN_FORCE
    from agent.fleet.ordered import HEAD, read_ordered
    from agent.fleet.overview import read_overview
    from agent.fleet.wanted import read_wanted

    folder, now, console = context.folder, context.now(), context.console
    seen = read_overview(folder)
    wanted = read_wanted(folder)
    ordered = read_ordered(folder, wanted.trust, now)
    changed = publication.changed_roles(folder, publication.open_repository(folder), wanted)
    console.say(f"Site {seen.site}, epoch {seen.epoch}", "bold")
    console.table(
        [
            [
                one.role,
                str(one.version),
                day(one.expires) + (" EXPIRED" if one.expires <= now else ""),
                ", ".join(one.persons) or "online",
            ]
            for one in seen.published
        ],
        head=["published", "version", "until", "signed by"],
    )
    if not seen.published:
        console.say("Nothing is published yet.", "warn")
    show_waiting(console, tuple(one for one in seen.waiting if not one.ready))
    for role in changed:
        console.say(f"changed    {role}: the folder differs from what is published or staged", "warn")
    findings = [*policies.check(folder, folder.site(), now), *publiclog.check(publiclog.read(folder))]
    show_findings(console, findings)
    counts = dict.fromkeys(("invited", "pending", "assigned", "retired"), 0)
    for device in seen.devices:
        counts["pending" if device.name in seen.returned else device.state] += 1
    console.say("Laptops: " + ", ".join(f"{number} {state}" for state, number in counts.items()))
    settings = _in_force(context, seen.devices)
    if settings.lacks:
        console.table(settings.rows(), head=list(HEAD_IN_FORCE))
    if ordered:
        console.table([one.cells() for one in ordered], head=list(HEAD))
    expired = [one.role for one in seen.published if one.expires <= now]
    console.result(
        {
            "site": seen.site,
            "epoch": seen.epoch,
            "published": [
                {
                    "role": one.role,
                    "version": one.version,
                    "expires": one.expires,
                    "persons": list(one.persons),
                }
                for one in seen.published
            ],
            "waiting": [waiting_value(one) for one in seen.waiting],
            "changed": changed,
            "laptops": counts,
            "in-force": settings.value(),
            "expired": expired,
            "orders": [one.value() for one in ordered],
            "findings": values(findings),
        }
    )
    pending = bool(changed or seen.waiting or counts["pending"] or not seen.published)
    return (exit_codes.CHANGED if pending else 0) | (exit_codes.FAILED if expired else 0)


def _in_force(context: Context, devices: Sequence[DeviceRecord]) -> InForce:
    """What the laptops reported of their settings, where `serve` takes reports; nothing, and a warning, where
    that cannot be read.
    """
    from agent.fleet.inforce import InForce, in_force
    from agent.fleet.reported import reported
    from agent.fleet.reports import open_existing

    store = None
    try:
        store = open_existing(context.folder.reports)
        return in_force(reported(context.folder, devices, store, context.now()))
    except BookbagError as error:
        context.console.warn(error.message)
        return InForce(0)
    finally:
        if store is not None:
            store.close()
