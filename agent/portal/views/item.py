"""One item: read, watched or listened to, from where the student stopped; or why it is not here yet."""

from __future__ import annotations

from urllib.parse import unquote

from agent.content.library import Item, Page
from agent.core.errors import BookbagError
from agent.portal import shelf
from agent.portal.dates import size
from agent.portal.frame import page
from agent.portal.html import Child, Html, join, tag
from agent.portal.keeping import Kept, Place
from agent.portal.languages import pick
from agent.portal.views.laptop import pairs
from agent.portal.views.library import about, how_here, stopped, subject_name
from agent.portal.visit import Visit, foreign, written
from agent.web.http import HttpError

#: Media types that a browser shows in a frame. Anything else is offered to be kept.
SHOWN = frozenset(
    (
        *("text/html", "application/xhtml+xml", "image/svg+xml", "application/pdf"),
        *("text/plain", "text/csv", "application/json"),
    )
)
PDF = "application/pdf"


def key_of(path: str) -> str:
    """The key in ``/item/KEY…``. Raises HttpError 404."""
    key, _, _ = path.removeprefix("/item/").partition("/")
    if not key or len(key) > 200:
        raise HttpError(404, "there is no such item", keep=True)
    return unquote(key, errors="replace")


def read(visit: Visit) -> Html:
    """The page. Raises HttpError 404."""
    one = shelf.item(visit, key_of(visit.path))
    if one is None or visit.path.count("/") != 2:
        raise HttpError(404, "there is no such item", keep=True)
    kept = visit.parts.keeping.read(visit.who)
    body = _open(visit, one, kept) if one.opens else _waiting(visit, one)
    title = shelf.title(visit, one)
    return page(
        visit,
        title,
        tag(
            "div",
            tag("h1", shelf.titled(visit, one)),
            _favourite(visit, one, kept) if not visit.who.is_guest else None,
            class_="row apart",
        ),
        about(visit, one),
        body,
        _facts(visit, one),
    )


def _waiting(visit: Visit, one: Item) -> Html:
    say = visit.say
    return tag(
        "section",
        how_here(visit, one),
        tag("p", say.maybe(f"item.why.{one.state}", "")),
        tag("p", foreign(one.message), class_="soft") if one.message else None,
        tag(
            "progress",
            f"{one.percent} %",
            value=one.percent,
            max=100,
            aria_label=say("item.percent", percent=one.percent),
        )
        if one.state == "fetching"
        else None,
        class_="card after",
    )


def _open(visit: Visit, one: Item, kept: Kept) -> Html:
    asked = visit.field("page")
    place = kept.places.get(one.key)
    where = asked or ("" if place is None or one.form in ("document", "video", "audio") else place.page)
    found = _page(visit, one, where)
    if found is None:
        if asked:
            raise HttpError(404, "there is no such page in this item", keep=True)
        found = _page(visit, one, "")
    if found is None:
        return tag("p", visit.say("item.broken"), class_="card after")
    begun = place is not None and (place.second or place.page not in ("", one.entry))
    note = _stopped(visit, one, place) if place is not None and begun and not asked else None
    kind = found.type.partition(";")[0].partition("/")[0]
    if kind in ("video", "audio"):
        return join(note, _player(visit, found, kind, place))
    if kind == "image" and found.type != "image/svg+xml":
        picture = tag(
            "img", src=shelf.content_address(visit, found), alt=found.title or shelf.title(visit, one)
        )
        return tag("p", picture, class_="picture")
    if found.type.partition(";")[0] not in SHOWN:
        return _download(visit, one, found)
    return join(
        note, _chapters(visit, one, found), _frame(visit, one, found, place), _after(visit, one, found, place)
    )


def _page(visit: Visit, one: Item, path: str) -> Page | None:
    try:
        return visit.parts.library.page(one.key, path)
    except BookbagError:
        return None


def _stopped(visit: Visit, one: Item, place: Place) -> Html:
    say = visit.say
    again = (
        tag("a", say("stopped.again"), href=shelf.address(one, one.entry))
        if place.page and one.form != "document"
        else None
    )
    return tag("p", stopped(visit, one, place), " ", again, class_="soft after")


# -- readers


def _player(visit: Visit, found: Page, kind: str, place: Place | None) -> Html:
    """The browser's own player: it has keys, captions and a screen reader's words for everything. Players
    of sound show no captions, so those stand below."""
    say = visit.say
    first = _captions(visit, found)
    tracks = []
    for at, one in enumerate(found.tracks):
        try:
            words = visit.parts.library.page(found.item, one.path, edition=found.edition)
        except BookbagError:
            continue
        tracks.append(
            tag(
                "track",
                src=shelf.content_address(visit, words),
                kind=one.kind,
                srclang=one.lang,
                label=shelf.language_name(one.lang),
                default=at == first or None,
            )
        )
    start = place.second if place else 0
    return join(
        tag(
            kind,
            *tracks,
            tag("a", say("item.keep"), href=shelf.content_address(visit, found)),
            src=shelf.content_address(visit, found),
            controls=True,
            preload="metadata",
            crossorigin="anonymous",
            aria_label=found.title or None,
            dir="ltr",  # the browser's own controls lie outside the page otherwise
            data_place=f"{shelf.address_of(found.item)}/place" if not visit.who.is_guest else None,
            data_start=start if not visit.who.is_guest else None,
            data_token=visit.parts.tokens.form(visit.who) if not visit.who.is_guest else None,
        ),
        tag("p", class_="words", dir="auto") if tracks and kind == "audio" else None,
        None if found.tracks or kind == "audio" else tag("p", say("item.no-captions"), class_="soft"),
    )


def _captions(visit: Visit, found: Page) -> int:
    """Which captions are on at first: the reader's language, or the film's own."""
    _, lang = pick({one.lang: one.lang for one in found.tracks}, (*visit.wanted, found.lang))
    return next((at for at, one in enumerate(found.tracks) if one.lang == lang), 0)


def _frame(visit: Visit, one: Item, found: Page, place: Place | None) -> Html:
    """A document in a frame of the content origin. What may run in it is a stranger to this page."""
    source = shelf.content_address(visit, found)
    is_pdf = found.type == PDF
    if is_pdf and place is not None and place.page.isdecimal():
        source += f"#page={place.page}"
    # the Tab key passes over a frame without a link in it, which then could not be scrolled
    enter = tag("a", visit.say("item.enter"), class_="skip enter", href="#read")
    frame = tag(
        "iframe",
        src=source,
        id="read",
        title=found.title or shelf.title(visit, one),
        class_="reader",
        # a browser's own viewer does not open in a sandbox; a PDF runs no script of a page
        sandbox=None if is_pdf else "allow-scripts",
        referrerpolicy="no-referrer",
        allow="",
    )
    return join(enter, frame)


def _chapters(visit: Visit, one: Item, found: Page) -> Html | None:
    """A book's contents."""
    chapters = _all_chapters(visit, one)
    if len(chapters) < 2:
        return None
    rows = [
        tag(
            "li",
            tag(
                "a",
                written(chapter.title or chapter.path, chapter.lang),
                href=shelf.address(one, chapter.path),
                aria_current="page" if chapter.path == found.path else None,
            ),
        )
        for chapter in chapters
    ]
    return tag("details", tag("summary", visit.say("item.contents")), tag("ol", *rows), class_="contents")


def _all_chapters(visit: Visit, one: Item) -> tuple[Page, ...]:
    try:
        return visit.parts.library.chapters(one.key)
    except BookbagError:
        return ()


def _after(visit: Visit, one: Item, found: Page, place: Place | None) -> Html:
    """Ways on from a page, and a place to note where one stopped in what cannot tell itself."""
    say = visit.say
    paths = [chapter.path for chapter in _all_chapters(visit, one)]
    ways: list[Child] = []
    if found.path in paths:
        at = paths.index(found.path)
        if at > 0:
            ways.append(
                tag(
                    "a",
                    say("item.previous"),
                    href=shelf.address(one, paths[at - 1]),
                    class_="button",
                    rel="prev",
                )
            )
        if at + 1 < len(paths):
            ways.append(
                tag(
                    "a",
                    say("item.next"),
                    href=shelf.address(one, paths[at + 1]),
                    class_="button main",
                    rel="next",
                )
            )
    if found.type == PDF:
        ways.append(tag("a", say("item.alone"), href=shelf.content_address(visit, found), class_="button"))
        if not visit.who.is_guest:
            ways.append(_note(visit, one, place))
    return tag("div", *ways, class_="row after") if ways else Html()


def _note(visit: Visit, one: Item, place: Place | None) -> Html:
    say = visit.say
    before = place.page if place is not None and place.page.isdecimal() else None
    return tag(
        "form",
        visit.token(),
        tag("label", say("note.label"), for_="note"),
        tag("input", type="number", name="page", id="note", min=1, max=99999, value=before, required=True),
        tag("button", say("note.button"), type="submit"),
        action=f"{shelf.address(one)}/place",
        method="post",
        class_="row",
    )


def _download(visit: Visit, one: Item, found: Page) -> Html:
    say = visit.say
    return tag(
        "section",
        tag("p", say("item.file")),
        tag(
            "p",
            tag(
                "a",
                say("item.keep"),
                href=shelf.content_address(visit, found),
                class_="button main",
                download=True,
            ),
            " ",
            size(found.size, say),
        ),
        class_="card after",
    )


# -- around it


def _favourite(visit: Visit, one: Item, kept: Kept) -> Html:
    say = visit.say
    on = one.key in kept.favourites
    return tag(
        "form",
        visit.token(),
        tag("input", type="hidden", name="on", value="0" if on else "1"),
        tag(
            "button",
            "★ " if on else "☆ ",
            say("favourite"),
            type="submit",
            aria_pressed="true" if on else "false",
        ),
        action=f"{shelf.address(one)}/favourite",
        method="post",
    )


def _facts(visit: Visit, one: Item) -> Html:
    say = visit.say
    facts: list[tuple[str, Child]] = []
    if one.subject:
        facts.append((say("filter.subject"), foreign(subject_name(visit, one.subject))))
    facts.append((say("sent.bytes"), size(one.stored, say)))
    if one.licence:
        facts.append((say("item.licence"), foreign(one.licence)))
    facts.append((say("item.from"), foreign(one.role)))
    return tag("details", tag("summary", say("item.about")), pairs(facts), class_="after")
