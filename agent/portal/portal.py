"""The portal's own origin: which page answers which path, and what a form may change. One table is all
there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agent.core.errors import BookbagError
from agent.portal import guard
from agent.portal.assets import ASSETS
from agent.portal.frame import page
from agent.portal.guard import Origin
from agent.portal.html import Html, tag
from agent.portal.languages import asked, choose, codes
from agent.portal.people import People, Who
from agent.portal.views import asks, item, laptop, ledger, library, programs, sent, settings
from agent.portal.views import help as helping
from agent.portal.visit import Parts, Visit
from agent.web.answers import Answer, Sink
from agent.web.http import HttpError, Request

COOKIE = "bookbag-language"
View = Callable[[Visit], Html | Answer]
#: path → page
PAGES: Mapping[str, View] = {
    "/": library.home,
    "/search": library.found,
    "/laptop": laptop.overview,
    "/laptop/settings": settings.settings,
    programs.PAGE: programs.listed,
    asks.LIST: asks.listed,
    laptop.FORM: asks.form,
    asks.LOOK: asks.form,  # whoever comes back to it
    "/laptop/ledger": ledger.ledger,
    "/laptop/sent": sent.sent,
    "/help": helping.help_page,
}
#: Beginning of a path, whose rest names a thing → page
BELOW: Mapping[str, View] = {
    "/item/": item.read,
    "/laptop/sent/": sent.raw,
}


class Portal:
    """Handler of the portal's listener."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people

    def handle(self, request: Request) -> Answer | Sink:
        """Answer one request. Never raises for what a visitor did: they get a page that says so."""
        who = Who()
        try:
            self._parts.portal.check_host(request)
            who = self._people.who(request.ends)
            if request.path in ASSETS:
                guard.check_read(request)
                return ASSETS[request.path].answer
            if request.method == "POST":
                return Form(guard.check_write(request, self._parts.portal), self, request, who)
            guard.check_read(request)
            visit = self.visit(request, who, guard.query(request))
            shown = view_of(request.path)(visit)
            return shown if isinstance(shown, Answer) else html(self._parts, shown)
        except HttpError as error:
            return self.sorry(request, who, error)

    def visit(self, request: Request, who: Who, query: Mapping[str, str]) -> Visit:
        """What the pages get to see of a request."""
        wanted = (*_chosen(request), *asked(request.headers.get("accept-language", "")))
        return Visit(self._parts, who, request.path, query, wanted, choose(wanted))

    def submitted(self, request: Request, who: Who, form: dict[str, str]) -> Answer:
        """A whole form of a page of ours has come."""
        try:
            guard.check_token(form, who, self._parts.tokens)
            if request.path in (laptop.FORM, asks.LOOK):
                return self._asked(request, who, form)
            if request.path == programs.PAGE:
                return self._chose(request, who, form)
            return change(self._parts, who, request.path, form)
        except HttpError as error:
            return self.sorry(request, who, error)
        except BookbagError as problem:
            return self.sorry(request, who, guard.refused(problem))

    def _asked(self, request: Request, who: Who, form: dict[str, str]) -> Answer:
        """Show what would be sent to the school, or leave it to be."""
        visit = self.visit(request, who, form)
        told = asks.look(visit) if request.path == asks.LOOK else asks.send(visit)
        return back(asks.LIST) if told is None else html(self._parts, told[1], told[0])

    def _chose(self, request: Request, who: Who, form: dict[str, str]) -> Answer:
        """Take somebody's choice of a program, or say on the same page why not."""
        told = programs.choose(self.visit(request, who, form))
        return back(programs.PAGE) if told is None else html(self._parts, told[1], told[0])

    def sorry(self, request: Request, who: Who, error: HttpError) -> Answer:
        """A page that says what is wrong; other names of ours lead here, and get no page."""
        if error.status in (308, 421):
            raise error
        visit = self.visit(request, who, {})
        say = visit.say
        title = say.maybe(f"error.{error.status}", say("error.other"))
        shown = page(
            visit,
            title,
            tag("h1", title),
            tag("p", say.maybe(f"error.{error.status}.more", error.text)),
            tag("p", tag("a", say("error.home"), href="/", class_="button main")),
        )
        return html(self._parts, shown, error.status, error.headers)


class Form:
    """The body of a form as it arrives."""

    def __init__(self, length: int, portal: Portal, request: Request, who: Who) -> None:
        self._portal, self._request, self._who = portal, request, who
        self._data = bytearray()
        self._length = length

    def write(self, data: bytes) -> None:
        """Take the next bytes; the connection hands over no more than were announced."""
        self._data += data

    def finish(self) -> Answer:
        """Do what the form asks for."""
        form = guard.fields(self._data.decode("utf-8", "replace"))
        return self._portal.submitted(self._request, self._who, form)

    def abort(self) -> None:
        """Nothing was begun."""
        self._data.clear()


def view_of(path: str) -> View:
    """The page at ``path``. Raises HttpError 404."""
    found = PAGES.get(path)
    if found is not None:
        return found
    for beginning, view in BELOW.items():
        if path.startswith(beginning):
            return view
    raise HttpError(404, "there is no such page", keep=True)


def change(parts: Parts, who: Who, path: str, form: Mapping[str, str]) -> Answer:
    """What each form changes. Raises HttpError, BookbagError."""
    if path == "/language":
        return _language(form)
    if path == "/forget":
        parts.keeping.forget(who)
        return back("/")
    if path.startswith("/item/"):
        return _of_item(parts, who, path, form)
    raise HttpError(404, "there is no such form", keep=True)


def _of_item(parts: Parts, who: Who, path: str, form: Mapping[str, str]) -> Answer:
    """Where somebody stopped, or whether they want to find it again."""
    key = item.key_of(path)
    parts.library.item(key)
    if path.endswith("/favourite"):
        parts.keeping.favour(who, key, on=form.get("on") == "1")
    elif path.endswith("/place"):
        second, number = (form.get(name, "0") for name in ("second", "page"))
        if not (_is_number(second) and _is_number(number)):
            raise HttpError(400, "that is no place in it", keep=True)
        place = str(int(number)) if int(number) else ""
        parts.keeping.stopped(who, key, page=place, second=int(second))
        if "second" in form:  # from the script of a player, which waits for no page
            return Answer(204, {"Cache-Control": "no-store"})
    else:
        raise HttpError(404, "there is no such form", keep=True)
    return back(path.rpartition("/")[0])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9


def _language(form: Mapping[str, str]) -> Answer:
    code = form.get("language", "")
    if code not in codes():
        raise HttpError(400, "the portal does not speak this language", keep=True)
    cookie = f"{COOKIE}={code}; Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly"
    return back(form.get("back", ""), {"Set-Cookie": cookie})


def back(path: str, headers: Mapping[str, str] | None = None) -> Answer:
    """To the page that a form was on, if it is one of ours."""
    safe = path.startswith("/") and not path.startswith("//") and path.isascii() and path.isprintable()
    target = path if safe and "\\" not in path and " " not in path else "/"
    return Answer(303, {"Location": target, "Cache-Control": "no-store", **(headers or {})})


def html(parts: Parts, shown: Html, status: int = 200, more: Mapping[str, str] | None = None) -> Answer:
    """A page as an answer: nothing may be loaded into it but what is ours, and nowhere may it be shown
    inside."""
    return Answer(status, {**(more or {}), **page_headers(parts.content)}, shown.encode("utf-8", "replace"))


def page_headers(content: Origin) -> dict[str, str]:
    """What every page of the portal is sent with."""
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        f"img-src 'self' {content.url}; media-src {content.url}; frame-src {content.url}; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        # not no-referrer: browsers would send forms with a null Origin
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), midi=()",
        "X-DNS-Prefetch-Control": "off",
    }


def _chosen(request: Request) -> tuple[str, ...]:
    """The language that this browser was set to."""
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and value in codes():
            return (value,)
    return ()
