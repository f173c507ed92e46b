"""The library: what there is to learn, what of it is here, and why the rest is not yet."""

from __future__ import annotations

from agent.portal.frame import page
from agent.portal.html import Html, tag
from agent.portal.visit import Visit


def home(visit: Visit) -> Html:
    """The first page."""
    say = visit.say
    return page(
        visit,
        say("library.title"),
        tag("h1", say("library.title")),
        tag("p", say("library.none"), class_="card"),
    )
