"""What is around every page: head, way to the content, navigation, notices that must not be missed, foot."""

from __future__ import annotations

from agent.portal import assets
from agent.portal.dates import moment
from agent.portal.html import Child, Html, join, tag
from agent.portal.languages import codes, language
from agent.portal.public import mapping, whole
from agent.portal.visit import Visit

_PLACES = (("/", "nav.library"), ("/laptop", "nav.laptop"), ("/help", "nav.help"))


def page(visit: Visit, title: str, *body: Child) -> Html:
    """A whole page whose heading is within ``body``."""
    say = visit.say
    return join(
        Html("<!doctype html>\n"),
        tag(
            "html",
            tag(
                "head",
                tag("meta", charset="utf-8"),
                tag("title", f"{title} – Bookbag"),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                tag("meta", name="color-scheme", content="light dark"),
                tag("link", rel="stylesheet", href=assets.STYLE.path),
                tag("link", rel="icon", href=assets.ICON.path, type="image/svg+xml"),
                tag("script", src=assets.SCRIPT.path, defer=True),
            ),
            tag(
                "body",
                tag("a", say("skip"), class_="skip", href="#content"),
                _head(visit),
                _notice(visit),
                tag("main", *body, id="content", tabindex="-1"),
                _foot(visit),
            ),
            lang=say.code,
            dir=say.direction,
        ),
        Html("\n"),
    )


def _head(visit: Visit) -> Html:
    say = visit.say
    here = max((place for place, _ in _PLACES if _within(visit.path, place)), key=len, default="")
    links = [
        tag("li", tag("a", say(key), href=place, aria_current="page" if place == here else None))
        for place, key in _PLACES
    ]
    search = tag(
        "form",
        tag("label", say("search.label"), for_="q", class_="unseen"),
        tag(
            "input",
            type="search",
            name="q",
            id="q",
            value=visit.field("q"),
            maxlength="200",
            placeholder=say("search.placeholder"),
            dir="auto",
        ),
        tag("button", say("search.button"), type="submit"),
        action="/search",
        role="search",
    )
    brand = tag("a", assets.MARK, tag("span", "Bookbag"), href="/", class_="brand")
    return tag(
        "header", tag("div", brand, tag("nav", tag("ul", *links), aria_label=say("nav.label")), search)
    )


def _within(path: str, place: str) -> bool:
    if place == "/":
        return path in ("/", "/search") or path.startswith("/item/")
    return path == place or path.startswith(f"{place}/")


def _notice(visit: Visit) -> Html:
    """That the laptop is locked, or will be erased: on every page."""
    lock = visit.parts.public.read("lock")
    if not lock or not (lock.get("locked") is True or whole(lock, "erase_at")):
        return Html()
    say = visit.say
    erase = whole(lock, "erase_at")
    return tag(
        "aside",
        tag(
            "div",
            tag("strong", say("lock.erase") if erase else say("lock.locked")),
            tag("span", say("lock.when"), " ", moment(erase, say)) if erase else None,
            visit.spoken(mapping(lock, "message")),
            tag("a", say("lock.more"), href="/laptop"),
        ),
        class_="notice grave",
        aria_label=say("lock.label"),
    )


def _foot(visit: Visit) -> Html:
    say = visit.say
    buttons = [
        tag(
            "button",
            language(code).name,
            name="language",
            value=code,
            lang=code,
            dir=language(code).direction,
            aria_pressed="true" if code == say.code else "false",
        )
        for code in codes()
    ]
    switch = tag(
        "form",
        tag("span", say("foot.language"), id="language-label"),
        tag("div", *buttons, role="group", aria_labelledby="language-label"),
        tag("input", type="hidden", name="back", value=visit.path),
        visit.token(),
        action="/language",
        method="post",
    )
    return tag("footer", tag("div", tag("p", say("foot.offline")), switch))
