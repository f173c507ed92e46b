"""The library: what there is to learn, what of it is here, why the rest is not yet; where the student
stopped; search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from urllib.parse import quote

from agent.content.library import Hit, Item
from agent.core.errors import BookbagError
from agent.portal import shelf
from agent.portal.dates import clock, day, size
from agent.portal.frame import page
from agent.portal.html import Child, Html, join, tag
from agent.portal.keeping import Kept, Place
from agent.portal.languages import direction
from agent.portal.visit import Visit, foreign, written

_MOST_LATEST = 4
MOST_SHOWN = 200  #: items on one page
MOST_OF_A_SUBJECT = 9  #: of those on the first page, unless a choice was made
_STATE_LOOKS = {"ready": "good", "updating": "good", "refused": "bad"}


def home(visit: Visit) -> Html:
    """The first page."""
    say = visit.say
    everything = shelf.items(visit)
    kept = visit.parts.keeping.read(visit.who)
    chosen = [one for one in everything if _is_chosen(visit, one)]
    filtered = any(visit.field(name) for name in ("subject", "grade", "language"))
    return page(
        visit,
        say("library.title"),
        tag("h1", say("library.title")),
        *(
            [tag("p", say("library.none"), class_="card")]
            if not everything
            else [
                _filter(visit, everything),
                None if filtered else _latest(visit, everything, kept),
                None if filtered else _favourites(visit, everything, kept),
                *_subjects(visit, chosen, MOST_SHOWN if filtered else MOST_OF_A_SUBJECT),
                None if chosen else tag("p", say("library.none-chosen"), class_="card"),
                _left(visit, len(chosen)) if filtered else None,
                _foot(visit, kept),
            ]
        ),
    )


def found(visit: Visit) -> Html:
    """What a search found."""
    say = visit.say
    asked = visit.field("q")
    hits, coming = shelf.search(visit, asked) if asked else ([], [])
    heading = say("search.title") if not asked else say("search.for")
    parts: list[Child] = [tag("h1", heading, " ", foreign(asked) if asked else None)]
    if hits:
        parts.append(
            tag("ul", *[tag("li", _hit(visit, one), class_="card item") for one in hits], class_="stack")
        )
    if coming:
        parts += [tag("h2", say("search.coming")), _cards(visit, coming)]
    if asked and not (hits or coming):
        parts.append(tag("p", say("search.none"), class_="card"))
    if not asked:
        parts.append(tag("p", say("search.how"), class_="lead"))
    return page(visit, heading, *parts)


# -- parts of the first page


def _is_chosen(visit: Visit, one: Item) -> bool:
    subject, grade, language = (visit.field(name) for name in ("subject", "grade", "language"))
    return (
        (not subject or one.subject == subject)
        and (not grade or grade in one.grade)
        and (not language or one.lang == language)
    )


def _filter(visit: Visit, everything: Sequence[Item]) -> Html | None:
    """Choices of subject, grade and language, as far as there is a choice."""
    say = visit.say
    subjects = {one.subject: subject_name(visit, one.subject) for one in everything if one.subject}
    grades = {grade: grade for one in everything for grade in one.grade}
    languages = {one.lang: shelf.language_name(one.lang) for one in everything if one.lang}
    selects = [
        _select(visit, name, options)
        for name, options in (("subject", subjects), ("grade", grades), ("language", languages))
        if len(options) > 1
    ]
    if not selects:
        return None
    return tag(
        "form", *selects, tag("button", say("filter.button"), type="submit"), class_="row filter", action="/"
    )


def _select(visit: Visit, name: str, options: dict[str, str]) -> Html:
    def order(value: str) -> tuple[int, str]:
        return (int(value) if value.isdecimal() and len(value) < 4 else 1000, options[value])

    chosen = visit.field(name)
    rows = [tag("option", visit.say(f"filter.any.{name}"), value="")]
    rows += [
        tag(
            "option",
            options[value],
            value=value,
            selected=value == chosen,
            lang=value if name == "language" else None,
            dir=direction(value) if name == "language" else None,
        )
        for value in sorted(options, key=order)
    ]
    return tag(
        "div",
        tag("label", visit.say(f"filter.{name}"), for_=f"filter-{name}"),
        tag("select", *rows, name=name, id=f"filter-{name}"),
    )


def _latest(visit: Visit, everything: Iterable[Item], kept: Kept) -> Html | None:
    """Where the student goes on."""
    known = {one.key: one for one in everything if one.opens}
    latest = [known[key] for key in kept.latest() if key in known][:_MOST_LATEST]
    if not latest:
        return None
    cards = [
        tag(
            "li",
            tag("h3", tag("a", shelf.titled(visit, one), href=shelf.address(one))),
            tag("p", stopped(visit, one, kept.places[one.key]), class_="soft"),
            class_="card item",
        )
        for one in latest
    ]
    return join(tag("h2", visit.say("library.latest")), tag("ul", *cards, class_="grid"))


def stopped(visit: Visit, one: Item, place: Place) -> Html:
    """Where somebody stopped, in words."""
    say = visit.say
    if place.second:
        return join(say("stopped.second"), " ", tag("span", clock(place.second), dir="ltr"))
    if one.form == "document" and place.page.isdecimal():
        return join(say("stopped.number", number=place.page))
    named = _page_title(visit, one, place.page) if place.page != one.entry else None
    return join(say("stopped.page"), " ", named) if named else join(say("stopped.begun"))


def _page_title(visit: Visit, one: Item, path: str) -> Html | None:
    try:
        found_page = visit.parts.library.page(one.key, path)
    except BookbagError:
        return None  # a new version does not have it any more
    return written(found_page.title, found_page.lang) if found_page.title else None


def _favourites(visit: Visit, everything: Iterable[Item], kept: Kept) -> Html | None:
    known = {one.key: one for one in everything}
    favourites = [known[key] for key in kept.favourites if key in known]
    return join(tag("h2", visit.say("library.favourites")), _cards(visit, favourites)) if favourites else None


def _subjects(visit: Visit, chosen: Sequence[Item], most: int) -> list[Html]:
    """``most`` of each subject, and a way to the others."""
    by_subject: dict[str, list[Item]] = {}
    for one in chosen:
        by_subject.setdefault(one.subject, []).append(one)
    names = sorted(by_subject, key=lambda subject: (not subject, subject_name(visit, subject)))
    shown, room = [], MOST_SHOWN
    for name in names:
        some = by_subject[name][: min(most, room)]
        room -= len(some)
        if some:
            more = _more(visit, name, len(by_subject[name])) if len(some) < len(by_subject[name]) else None
            shown.append(join(tag("h2", foreign(subject_name(visit, name))), _cards(visit, some), more))
    return shown


def _more(visit: Visit, subject: str, count: int) -> Html | None:
    """The way to all of a subject; what has none is found by choosing a language or a grade, or by search."""
    if not subject or visit.field("subject"):
        return None
    said = join(visit.say("library.all", count=count), " ", foreign(subject_name(visit, subject)))
    link = tag("a", said, href=f"/?subject={quote(subject, safe='')}", class_="button")
    return tag("p", link, class_="after")


def _left(visit: Visit, count: int) -> Html | None:
    more = count - MOST_SHOWN
    return tag("p", visit.say("library.left", count=more), class_="soft after") if more > 0 else None


def _foot(visit: Visit, kept: Kept) -> Html:
    say = visit.say
    used, room = visit.parts.library.room()
    takes = say("library.room" if room else "library.used", used=size(used, say), room=size(room, say))
    forget = None
    if kept.places or kept.favourites:
        forget = tag(
            "form",
            visit.token(),
            tag("p", say("forget.lead"), class_="soft"),
            tag("button", say("forget.button"), type="submit"),
            action="/forget",
            method="post",
            class_="after",
        )
    return join(tag("p", takes, class_="soft after") if used else None, forget)


# -- cards


def _cards(visit: Visit, some: Iterable[Item]) -> Html:
    return tag("ul", *[tag("li", _card(visit, one), class_="card item") for one in some], class_="grid")


def _card(visit: Visit, one: Item) -> Html:
    return join(
        tag("h3", tag("a", shelf.titled(visit, one), href=shelf.address(one))),
        about(visit, one),
        how_here(visit, one),
    )


def about(visit: Visit, one: Item) -> Html:
    """What kind of thing it is, in which language, for whom, until when."""
    say = visit.say
    parts: list[Child] = []
    if one.form:
        parts.append(say.maybe(f"form.{one.form}", one.form))
    if one.lang:
        parts.append(written(shelf.language_name(one.lang), one.lang))
    if one.grade:
        parts.append(say("item.grade", grades=say("list.comma").join(one.grade)))
    if one.due and (until := _date(one.due)) is not None:
        parts.append(join(say("item.due"), " ", day(until, say)))
    return tag("div", *[tag("span", part) for part in parts], class_="kind")


def how_here(visit: Visit, one: Item) -> Html:
    """Whether it is here, and if not, why."""
    say = visit.say
    shown = say.maybe(f"item.state.{one.state}", one.state)
    look = _STATE_LOOKS.get(one.state, "wait") if not one.opens or one.state in _STATE_LOOKS else "good"
    percent = say("item.percent", percent=one.percent) if one.state in ("fetching", "updating") else None
    return tag("div", tag("span", shown, f" ({percent})" if percent else None, class_=f"state {look}"))


def _hit(visit: Visit, hit: Hit) -> Html:
    link = tag(
        "a",
        written(hit.title or hit.item.id, hit.lang or hit.item.lang),
        href=shelf.address(hit.item, hit.path),
    )
    within = join(visit.say("search.within"), " ", shelf.titled(visit, hit.item)) if hit.path else None
    return join(
        tag("h2", link, class_="small"),
        tag("div", within, class_="soft") if within else about(visit, hit.item),
    )


def subject_name(visit: Visit, subject: str) -> str:
    """A subject as the reader calls it."""
    return visit.say.maybe(f"subject.{subject.lower()}", subject) if subject else visit.say("subject.none")


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
