"""The content origin: what there is to read, watch and try out, kept apart from the portal and from each
other.

Nobody has read the scripts in it. So each document is sandboxed into an origin of its own that is
nobody's, may load what lies below its own version's address and nothing else, and is shown only in a frame
of the portal's page, which lets the frame go nowhere else. The address holds what only this student was
told: a page cannot guess another's, nor another item's.
"""

from __future__ import annotations

import contextlib
from urllib.parse import unquote_to_bytes

from agent.content.library import SHORT, Page, Stream
from agent.core.errors import BookbagError
from agent.portal import shelf
from agent.portal.html import tag
from agent.portal.languages import asked, choose
from agent.portal.people import People, Who
from agent.portal.visit import Parts
from agent.web.answers import Answer, Sink
from agent.web.http import HttpError, Request, matches, parse_range

#: What a browser would run scripts of, if it were opened.
DOCUMENTS = frozenset(("text/html", "application/xhtml+xml", "image/svg+xml", "application/xml", "text/xml"))
PDF = "application/pdf"
_FRAMES = ("iframe", "frame")
#: What a browser says that it wants a document for when it would run it outside a frame of ours.
_NEVER = ("object", "embed", "serviceworker", "sharedworker", "fencedframe", "webidentity")


class Readings:
    """Handler of the content listener."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people

    def handle(self, request: Request) -> Answer | Sink:
        """Answer one request. Raises HttpError."""
        if request.headers.get("host", "").lower() != self._parts.content.host:
            raise HttpError(421, "this is where the portal's content lies and nothing else")
        if request.method not in ("GET", "HEAD"):
            raise HttpError(405, "content is for reading", headers={"Allow": "GET, HEAD"})
        try:
            who = self._people.who(request.ends)
            page, place = self._asked(request, who)
            return self._answer(request, who, page, place)
        except HttpError as error:
            return _sorry(request, error)

    def _asked(self, request: Request, who: Who) -> tuple[Page, str]:
        """(what is asked for, the part of its address that only ``who`` knows). Raises HttpError 404 for
        everything that this visitor was not told of."""
        parts = request.path.removeprefix("/").split("/", 3)
        if len(parts) != 4:
            raise _nothing()
        place, key, edition, path = (_decoded(part) for part in parts)
        if not path or len(edition) != SHORT or not self._parts.tokens.is_place(who, key, place):
            raise _nothing()
        try:
            return self._parts.library.page(key, path, edition=edition), place
        except BookbagError:
            raise _nothing() from None

    def _answer(self, request: Request, who: Who, page: Page, place: str) -> Answer:
        kind = page.type.partition(";")[0]
        wanted = request.headers.get("sec-fetch-dest", "")
        if wanted in _NEVER or request.headers.get("service-worker"):
            raise HttpError(403, "content is not for that", keep=True)
        if kind in DOCUMENTS and wanted == "document":  # alone, nothing would keep it from leaving
            shown = f"{self._parts.portal.url}{shelf.address_of(page.item)}"
            where = f"{shown}?page={shelf.quoted(page.path)}"
            return Answer(
                303, {"Location": where, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
            )
        # A page's own doing, or its frame's, comes from an origin that is nobody's; the portal's frame
        # does not.
        within = wanted in _FRAMES and request.headers.get("sec-fetch-site") == "cross-site"
        clicked = request.headers.get("sec-fetch-user") == "?1"
        if kind in DOCUMENTS and wanted in _FRAMES and request.method == "GET" and (clicked or not within):
            self._note(who, page)
        headers = {
            "Content-Type": page.type,
            "ETag": f'"{page.etag}"',
            "Accept-Ranges": "bytes",
            # pages are asked for again each time, so that it is known where somebody stopped
            "Cache-Control": "private, no-cache"
            if kind in DOCUMENTS
            else "private, max-age=31536000, immutable",
            "Content-Security-Policy": self._policy(kind, page, place, within=within),
            **_fixed_headers(),
            **self._sharing(request),
        }
        if matches(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Answer(304, headers)
        return self._bytes(request, page, headers)

    def _bytes(self, request: Request, page: Page, headers: dict[str, str]) -> Answer:
        span = request.headers.get("range", "")
        unless = request.headers.get("if-range", headers["ETag"])
        piece = parse_range(span, page.size) if span and unless == headers["ETag"] else None
        first, length = piece or (0, page.size)
        if request.method == "HEAD":
            return Answer(200, {**headers, "Content-Length": str(page.size)})
        try:
            body = _Body(self._parts.library.open(page, first, length))
        except BookbagError:
            raise _nothing() from None
        if piece is None:
            return Answer(200, headers, body)
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{page.size}"
        return Answer(206, headers, body)

    def _note(self, who: Who, page: Page) -> None:
        """The page that was opened last is where somebody goes on."""
        with contextlib.suppress(BookbagError):  # the page matters more than the note
            self._parts.keeping.stopped(who, page.item, page=page.path)

    def _policy(self, kind: str, page: Page, place: str, *, within: bool) -> str:
        """What the browser is to hold it to. ``within``: from inside itself, where its frames' frames are
        origins that no list of ancestors can name; who may frame it is then whoever knows its address,
        which is itself."""
        portal = self._parts.portal.url
        ancestors = "" if within else f"; frame-ancestors {portal}"
        if kind == PDF:  # the browser's own viewer shows it, and it does not open in a sandbox
            return (
                f"default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors {portal}"
            )
        own = shelf.prefix(self._parts.content.url, place, page)
        if kind not in DOCUMENTS:
            return f"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src {own}; media-src {own}"
        return (
            "sandbox allow-scripts; default-src 'none'; "
            f"script-src {own} 'unsafe-inline' 'unsafe-eval'; style-src {own} 'unsafe-inline'; "
            f"img-src {own} data: blob:; media-src {own} data: blob:; font-src {own} data:; "
            f"connect-src {own}; frame-src {own}; "
            "worker-src 'none'; manifest-src 'none'; object-src 'none'; "
            f"base-uri {own}; "
            f"form-action 'none'{ancestors}"
        )

    def _sharing(self, request: Request) -> dict[str, str]:
        """A sandboxed page's own scripts, fonts and data count as another origin's; so do the portal's
        captions."""
        origin = request.headers.get("origin", "")
        if origin in ("null", self._parts.portal.url):
            return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return {"Vary": "Origin"}


class _Body:
    """A stream for the connection: damage that is met on the way ends the answer, as a disk's error would."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    @property
    def left(self) -> int:
        """As `agent.web.answers.Source.left`."""
        return self._stream.left

    def read(self, limit: int) -> bytes:
        """As `agent.web.answers.Source.read`. Raises OSError."""
        try:
            return self._stream.read(limit)
        except BookbagError as problem:
            raise OSError(str(problem)) from None

    def close(self) -> None:
        """As `agent.web.answers.Source.close`."""
        self._stream.close()


def _fixed_headers() -> dict[str, str]:
    return {
        "Referrer-Policy": "no-referrer",
        # where the browser knows it (Chromium), what policies of content forget as well: WebRTC, names
        # looked up
        "Connection-Allowlist": "(response-origin)",
        # a sandboxed page is a stranger to its own origin; what it must not know is in the address
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-DNS-Prefetch-Control": "off",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=(), midi=()",
    }


def _decoded(part: str) -> str:
    try:
        return unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        raise _nothing() from None


def _nothing() -> HttpError:
    return HttpError(404, "there is nothing here", keep=True)


def _sorry(request: Request, error: HttpError) -> Answer:
    """A small page for the frame, in the reader's language."""
    if error.status not in (403, 404):
        raise error
    say = choose(asked(request.headers.get("accept-language", "")))
    shown = tag(
        "html",
        tag("head", tag("meta", charset="utf-8"), tag("title", say(f"error.{error.status}"))),
        tag("body", tag("p", say(f"error.{error.status}"))),
        lang=say.code,
        dir=say.direction,
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }
    return Answer(error.status, headers, f"<!doctype html>\n{shown}".encode())
