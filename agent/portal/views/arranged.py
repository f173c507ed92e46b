"""What the school arranged for the student of this laptop: shown to who is logged in, never to a guest, and
told in no snapshot that others may read."""

from __future__ import annotations

from collections.abc import Mapping

from agent.portal.dates import moment
from agent.portal.html import Html, join, tag
from agent.portal.public import rows, text, whole
from agent.portal.visit import Visit, foreign, machine


def mine(visit: Visit) -> Mapping[str, object]:
    """What is arranged for this visitor; empty for a guest, and where nothing is."""
    return {} if visit.who.is_guest else (visit.parts.arranged.read("arranged") or {})


def in_force(told: Mapping[str, object]) -> frozenset[str]:
    """The settings that are as arranged, whatever policy says of them."""
    return frozenset(text(row, "key") for row in rows(told, "settings") if not text(row, "held_by"))


def section(visit: Visit, told: Mapping[str, object]) -> Html:
    """All of it, with its last moment."""
    say = visit.say
    if not told:
        return Html()
    return tag(
        "section",
        tag("h2", say("arranged.title"), id="arranged"),
        tag("p", say("arranged.lead")),
        tag("p", say("arranged.until"), " ", moment(whole(told, "until"), say)),
        tag("ul", *[tag("li", _one(visit, row)) for row in rows(told, "settings")], class_="stack"),
        class_="card",
        aria_labelledby="arranged",
    )


def _one(visit: Visit, row: Mapping[str, object]) -> Html:
    say, key, value = visit.say, text(row, "key"), text(row, "value")
    title = say.maybe(f"setting.{key}", "")
    word = say.maybe(f"setting.{key}.{value}", "") or say.maybe(f"word.{value}", "")
    held = text(row, "held_by")
    return join(
        tag("strong", title or machine(key)),
        ": ",
        word or foreign(value),
        tag("p", say("arranged.held"), " ", foreign(held), class_="soft") if held else "",
    )
