"""Help: what Bookbag is, what to do when something is not as it should be, and what it never does."""

from __future__ import annotations

from agent.portal.frame import page
from agent.portal.html import Html, join, tag
from agent.portal.visit import Visit, machine

#: Questions, in order: each has an answer of the same name.
QUESTIONS = ("what", "offline", "missing", "why", "ask", "data", "lost", "language", "keyboard")
#: What no version of Bookbag takes in: there is no code for it at all.
NEVER = ("camera", "microphone", "screen", "keys", "windows", "browsing", "location", "files", "messages")


def help_page(visit: Visit) -> Html:
    """The page."""
    say = visit.say
    answers = [
        join(tag("h2", say(f"help.{name}.q"), id=name), tag("p", say(f"help.{name}.a"))) for name in QUESTIONS
    ]
    return page(
        visit,
        say("help.title"),
        tag("h1", say("help.title")),
        *answers,
        tag("h2", say("help.terminal.q"), id="terminal"),
        tag("p", say("help.terminal.a")),
        tag("p", machine("bookbag status"), ", ", machine("bookbag explain browser.homepage")),
        never(visit),
    )


def never(visit: Visit) -> Html:
    """What is never collected."""
    say = visit.say
    return join(
        tag("h2", say("never.title"), id="never"),
        tag("p", say("never.lead")),
        tag("ul", *[tag("li", say(f"never.{name}")) for name in NEVER]),
    )
