"""What happened on this laptop: the newest rows of its ledger, in words."""

from __future__ import annotations

from collections.abc import Mapping

from agent.portal.dates import moment
from agent.portal.frame import page
from agent.portal.html import Html, join, tag
from agent.portal.public import rows, text, whole
from agent.portal.views.laptop import state, tabs
from agent.portal.visit import Visit, foreign, machine


def ledger(visit: Visit) -> Html:
    """The page."""
    say = visit.say
    told = visit.parts.public.read("ledger")
    entries = rows(told, "entries")
    if told is None:
        body = tag("p", say("ledger.unknown"), class_="card")
    elif not entries:
        body = tag("p", say("ledger.none"), class_="card")
    else:
        body = tag("ol", *[tag("li", _entry(visit, row)) for row in entries], class_="card log")
    return page(
        visit,
        say("ledger.title"),
        tag("h1", say("ledger.title")),
        tabs(visit),
        tag("p", say("ledger.lead"), class_="lead"),
        body,
    )


def _entry(visit: Visit, row: Mapping[str, object]) -> Html:
    say = visit.say
    kind, subject, message = (text(row, name) for name in ("kind", "subject", "message"))
    return join(
        tag("strong", _title(visit, kind, subject)),
        tag("span", moment(whole(row, "at"), say), class_="soft"),
        state(visit, text(row, "outcome")),
        tag("div", machine(subject)) if subject else None,
        tag("div", foreign(message), class_="soft") if message else None,
    )


def _title(visit: Visit, kind: str, subject: str) -> str:
    """What happened, in words. Of an order it is the order that counts, the first word of its subject."""
    named = subject.partition(" ")[0] if kind == "command" else kind
    return visit.say.maybe(f"ledger.kind.{named}", visit.say.maybe(f"ledger.kind.{kind}", kind))
