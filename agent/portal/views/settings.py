"""Every setting that is decided on this laptop: what, why, who, since when, over whom, what was there before,
and how it stands: why it is not in force, how often it had to be put back, whose review is overdue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from agent.portal.dates import day, moment
from agent.portal.frame import page
from agent.portal.html import Child, Html, join, tag
from agent.portal.public import mapping, rows, text, whole
from agent.portal.views import arranged
from agent.portal.views.laptop import ask, pairs, state, tabs
from agent.portal.visit import Visit, foreign, machine

_WITHOUT_VALUE = ("", "nothing")
_PRIVATE = "a private file"
#: Settings by which sites are closed and opened.
SITES = ("browser.blocked-sites", "browser.allowed-sites")
_DURATION = re.compile(r"([0-9]{1,6})([smh])")


def settings(visit: Visit) -> Html:
    """The page."""
    say = visit.say
    told = visit.parts.public.read("settings")
    mine = arranged.mine(visit)
    return page(
        visit,
        say("settings.title"),
        tag("h1", say("settings.title")),
        tabs(visit),
        tag("p", say("settings.lead"), class_="lead"),
        tag("p", ask(visit)),
        tag("p", say("settings.clock"), class_="card") if text(told, "clock") == "suspect" else None,
        arranged.section(visit, mine),
        *(
            _lists(visit, told, arranged.in_force(mine))
            if told
            else [tag("p", say("settings.unknown"), class_="card")]
        ),
    )


def _lists(visit: Visit, told: Mapping[str, object], mine: frozenset[str]) -> list[Child]:
    say = visit.say
    decided, direct, refused = (rows(told, name) for name in ("settings", "resources", "refusals"))
    until, session = whole(told, "until"), mapping(told, "session")
    if not (decided or direct or refused):
        return [tag("p", say("settings.none"), class_="card")]
    parts: list[Child] = []
    for title, found in (("settings.decided", decided), ("settings.direct", direct)):
        if found:
            parts.append(tag("h2", say(title)))
            parts.append(
                tag(
                    "ul",
                    *[tag("li", _one(visit, row, until, session, mine)) for row in found],
                    class_="stack",
                )
            )
    if left := whole(told, "left_out"):
        parts.append(tag("p", say("settings.left", count=left), class_="soft"))
    if refused:
        parts.append(tag("h2", say("settings.refused")))
        parts.append(tag("p", say("settings.refused.more"), class_="soft"))
        parts.append(tag("ul", *[tag("li", _refusal(row), class_="card") for row in refused], class_="stack"))
    return parts


def _one(
    visit: Visit,
    row: Mapping[str, object],
    until: int,
    session: Mapping[str, object],
    mine: frozenset[str],
) -> Html:
    say = visit.say
    key = text(row, "key")
    title = say.maybe(f"setting.{key}", "")
    instead = key in mine and row.get("observe") is not True
    said = rows(row, "said_by")
    facts: list[tuple[str, Child]] = [(say("settings.by"), who_of(visit, one)) for one in said[-1:]]
    if owner := text(said[-1] if said else None, "owner"):
        facts.append((say("settings.ask"), foreign(owner)))
    facts += _times(visit, said[-1] if said else {}, until, session)
    facts.append((say("settings.since"), moment(whole(row, "since"), say)))
    facts += _healed(visit, mapping(row, "healed"))
    facts.append((say("settings.before"), _before(visit, rows(row, "before"), key)))
    if final := text(row, "final"):
        facts.append((say("settings.final"), join(say("settings.final.more"), " ", foreign(final))))
    watched = tag("span", say("settings.observed"), class_="state") if row.get("observe") is True else None
    facts += [(say("settings.over"), _over(visit, one, key)) for one in rows(row, "overrode")]
    facts += [(say("settings.overdue"), _overdue(visit, one)) for one in rows(row, "overdue")]
    stands = say.maybe(f"stands.{text(row, 'code')}", "")
    return tag(
        "article",
        tag(
            "div",
            tag("h3", title or machine(key)),
            tag("div", watched, state(visit, "" if instead else text(row, "outcome")), class_="row"),
            class_="row apart",
        ),
        tag("p", _value(visit, text(row, "value"), key), class_="value"),
        tag("p", say("arranged.instead")) if instead else None,
        tag("p", stands) if stands else None,
        visit.spoken(mapping(row, "why"), name="p", class_="why"),
        pairs(facts),
        tag(
            "p",
            ask(visit) if key in SITES else None,
            ask(visit, key, title),
            class_="row noprint",
        ),
        tag(
            "details",
            tag("summary", say("settings.exactly"), tag("span", f" {title or key}", class_="unseen")),
            tag("p", machine(key)),
            tag("p", foreign(text(row, "message"))) if text(row, "message") else None,
            *[tag("p", machine(f"{text(one, 'file')}:{whole(one, 'line')}")) for one in said],
        ),
        class_="card",
    )


def _times(
    visit: Visit, said: Mapping[str, object], until: int, session: Mapping[str, object]
) -> list[tuple[str, Child]]:
    """Of what holds at certain times only: which, and when that may change. ``session``: what a teacher has
    on."""
    say = visit.say
    when = text(said, "when")
    if not when:
        return []
    name = when.removeprefix("outside ")
    told = say("settings.during" if name == when else "settings.outside")
    if said.get("certain") is not True:
        return [(say("settings.when"), join(told, " ", foreign(name), ". ", say("settings.doubt")))]
    facts: list[tuple[str, Child]] = [(say("settings.when"), join(told, " ", foreign(name)))]
    if name == when and text(session, "timetable") == name:
        facts.append((say("settings.started"), foreign(text(session, "by"))))
        until = whole(session, "until")
    return [*facts, (say("settings.until"), moment(until, say))] if until else facts


def _healed(visit: Visit, healed: Mapping[str, object]) -> list[tuple[str, Child]]:
    """How often somebody or something changed it and it was put back; nothing if that never was."""
    say, count = visit.say, whole(healed, "times")
    if count < 1:
        return []
    often = say("settings.healed.once") if count == 1 else say("settings.healed.times", count=count)
    return [(say("settings.healed"), join(often, " ", moment(whole(healed, "last"), say)))]


def _overdue(visit: Visit, one: Mapping[str, object]) -> Html:
    say = visit.say
    try:
        when = day(date.fromisoformat(text(one, "review_by")), say)
    except ValueError:
        when = join(say("date.unknown"))
    of = join(" (", say("settings.policy"), " ", foreign(text(one, "policy")), ")")
    return join(when, of, ". ", say("settings.overdue.more"))


def value_of(visit: Visit, row: Mapping[str, object]) -> Html:
    """The value of a row of settings, for people."""
    return _value(visit, text(row, "value"), text(row, "key"))


def _value(visit: Visit, value: str, key: str) -> Html:
    """A value of the setting ``key`` as people say it: a duration and the words of a policy in the reader's
    language, anything else as it is.
    """
    if value == _PRIVATE:
        return join(visit.say("settings.private"))
    if word := visit.say.maybe(f"setting.{key}.{value}", "") or visit.say.maybe(f"word.{value}", ""):
        return join(word)
    if (match := _DURATION.fullmatch(value)) is not None:
        return join(visit.say(f"time.{match[2]}", count=match[1]))
    return foreign(value)


def who_of(visit: Visit, one: Mapping[str, object]) -> Html:
    """Who decided, of one row of ``said_by``."""
    rank = text(one, "rank")
    shown = visit.say.maybe(f"rank.{rank}", rank)
    return join(shown, " (", visit.say("settings.policy"), " ", foreign(text(one, "policy")), ")")


def _over(visit: Visit, one: Mapping[str, object], key: str) -> Html:
    return join(_value(visit, text(one, "value"), key), " – ", who_of(visit, one))


def _before(visit: Visit, found: list[Mapping[str, object]], key: str) -> Html:
    states = [text(one, "state") for one in found]
    if not states:
        return join(visit.say("settings.untouched"))
    told = [one for one in states if one not in _WITHOUT_VALUE]
    if not told:
        return join(visit.say("settings.nothing"))
    shown = [_value(visit, one, key) for one in told]
    return join(*[join(one, "; " if at < len(shown) else "") for at, one in enumerate(shown, 1)])


def _refusal(row: Mapping[str, object]) -> Html:
    return join(
        tag("h3", machine(text(row, "subject"))),
        tag("p", foreign(text(row, "message"))),
        tag("p", machine(text(row, "place")), class_="soft") if text(row, "place") else None,
    )
