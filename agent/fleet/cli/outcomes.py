"""Tells what a publication or an approval came to."""

from __future__ import annotations

from collections.abc import Sequence

from agent.core import exit_codes
from agent.fleet.checking import ROOM
from agent.fleet.cli.console import Console
from agent.fleet.cli.findings import show_findings, values
from agent.fleet.finding import Finding
from agent.fleet.mailing import Lacking
from agent.fleet.publication import Outcome
from agent.trust.site.signing import Pending


def report(console: Console, outcome: Outcome, notices: list[Finding] | None = None) -> int:
    """Say what was signed, published and left, and what wants attention; 0 if nothing was left."""
    for role in outcome.dropped:
        console.say(f"dropped    a damaged staged version of {role}", "warn")
    for given in outcome.signed:
        console.say(f"signed     {given.what} as {given.person}")
    published = outcome.published.roles if outcome.published else ()
    for role in published:
        if not role.startswith("mail-"):
            console.say(f"published  {role}", "good")
    for name in outcome.mailed:
        console.say(f"mailed     {name}: sealed into its mailbox", "good")
    show_waiting(console, outcome.waiting)
    show_lacking(console, outcome.lacking)
    show_findings(console, notices or [])
    left = bool(outcome.waiting or outcome.lacking or outcome.published is None)
    if outcome.elsewhere:
        console.say("Commit and push staged/: the machine with the online keys publishes it.")
    elif outcome.published is None:
        console.say("Nothing is published yet.", "warn")
    elif not left:
        console.say(f"All of the folder is published (timestamp {outcome.published.timestamp}).", "good")
    console.result(
        {
            "dropped": list(outcome.dropped),
            "staged": list(outcome.staged),
            "signed": [{"what": one.what, "person": one.person} for one in outcome.signed],
            "published": list(published),
            "timestamp": outcome.published.timestamp if outcome.published else None,
            "mailed": list(outcome.mailed),
            "waiting": [waiting_value(one) for one in outcome.waiting],
            "lacking": [lacking_value(one) for one in outcome.lacking],
            "notices": values(notices or []),
        }
    )
    return exit_codes.FAILED if left else exit_codes.IN_SYNC


def show_trust(console: Console, changes: tuple[str, ...]) -> None:
    """Whom laptops would trust differently: for the eyes of whoever is about to sign."""
    for text in changes:
        console.say(f"trust      {text}", "bad")


def show_waiting(console: Console, waiting: tuple[Pending, ...]) -> None:
    """What lacks signatures, and who can give them."""
    for one in waiting:
        others = ", ".join(person for person in one.may if person not in one.have) or "nobody left"
        have = ", ".join(one.have) or "nobody"
        console.say(f"waiting    {one.role}: signed by {have}; needs {one.missing} more of: {others}", "warn")
    if waiting:
        console.say("           the next person runs: bookbag-fleet approve --as PERSON")


def show_lacking(console: Console, lacking: Sequence[Lacking]) -> None:
    """Orders that cannot be filed, and what to do."""
    for one in lacking:
        others = ", ".join(person for person in one.may if person not in one.have)
        console.say(f"waiting    {one.kind} {one.laptop}: {one.why}", "warn")
        if one.kind == "assign":
            console.say(f"           bookbag-fleet assign {one.laptop} --as YOU")
        elif "mailbox" in one.why:
            console.say(f"           {ROOM}: {one.file}")
        elif "epoch" in one.why or "keys" in one.why:
            console.say(f"           give it again, or delete {one.file}")
        elif others and "person" in one.why:
            console.say(f"           {others} can sign it: bookbag-fleet approve {one.laptop} --as PERSON")


def lacking_value(one: Lacking) -> dict[str, object]:
    """The same for programs."""
    return {
        "device": one.laptop,
        "kind": one.kind,
        "id": one.id,
        "file": one.file,
        "why": one.why,
        "have": list(one.have),
        "may": list(one.may),
    }


def waiting_value(one: Pending) -> dict[str, object]:
    """The same for programs."""
    return {
        "role": one.role,
        "version": one.version,
        "needed": one.needed,
        "have": list(one.have),
        "may": list(one.may),
        "missing": one.missing,
    }
