"""Who may ask the portal for what, decided from a request's head alone.

A page elsewhere may have its own name point to 127.0.0.1 (so Host is checked), may send requests here that
carry nothing but what it knows (so each form carries a token, and a write must come from our own origin),
and may load our pages as scripts, images or frames to learn from them (so from elsewhere there is only a
plain visit). Content pages of ours are "elsewhere" in every respect.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from agent.core.errors import BookbagError
from agent.portal.people import Who
from agent.portal.tokens import Tokens
from agent.web.http import HttpError, Request

MAX_BODY = 8192  #: bytes of a form
MAX_FIELDS = 20
MAX_QUERY = 1024  #: characters
_OURS = ("", "none", "same-origin")  #: what a browser says of a request that no other origin caused


class Origin:
    """The addresses of one listener: the one it is called by, and those that lead there."""

    def __init__(self, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        self.host = f"{shown}:{port}"
        self.url = f"http://{self.host}"
        self._nicknames = (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}")

    def check_host(self, request: Request) -> None:
        """Raises HttpError: 308 to our address from another name of loopback, 421 from any other name."""
        host = request.headers.get("host", "").lower()
        if host == self.host:
            return
        if host in self._nicknames and request.method in ("GET", "HEAD"):
            query = f"?{request.query}" if request.query else ""
            target = f"{self.url}{request.path}{query}"
            raise HttpError(308, f"this page is at {self.url}", keep=True, headers={"Location": target})
        raise HttpError(421, f"this is {self.url} and nothing else")


def check_read(request: Request) -> None:
    """Raises HttpError 405 for another method, 403 for what another origin caused, unless it is a plain
    visit."""
    if request.method not in ("GET", "HEAD"):
        raise HttpError(405, "this page is for reading", headers={"Allow": "GET, HEAD"})
    if request.headers.get("sec-fetch-site", "") in _OURS:
        return
    visit = request.headers.get("sec-fetch-mode") == "navigate"
    if not visit or request.headers.get("sec-fetch-dest") != "document":
        raise HttpError(403, "the portal's pages are for looking at, not for use by other pages", keep=True)


def check_write(request: Request, origin: Origin) -> int:
    """The length of the form that follows. Raises HttpError unless the request comes from a page of ours."""
    if request.method != "POST":
        raise HttpError(405, "send the form", headers={"Allow": "POST"})
    if request.headers.get("origin") != origin.url:
        raise HttpError(403, "this form is not from the portal")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HttpError(403, "this form is not from the portal")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HttpError(400, "this is not a form")
    length = request.content_length()
    if length is None:
        raise HttpError(411, "send a Content-Length")
    if length > MAX_BODY:
        raise HttpError(413, f"a form has at most {MAX_BODY} bytes")
    return length


def check_token(form: dict[str, str], who: Who, tokens: Tokens) -> None:
    """Raises HttpError 403 unless the form was given to ``who``."""
    if not tokens.is_form(who, form.get("token", "")):
        raise HttpError(403, "this page is too old: open it again", keep=True)


def fields(data: str) -> dict[str, str]:
    """The fields of a query or a form, each once, the first one. Raises HttpError 400 for too many."""
    try:
        pairs = parse_qsl(data, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError:
        raise HttpError(400, "too many fields", keep=True) from None
    return dict(reversed(pairs))


def query(request: Request) -> dict[str, str]:
    """The fields of a request's query. Raises HttpError."""
    if len(request.query) > MAX_QUERY:
        raise HttpError(414, "the question is too long", keep=True)
    return fields(request.query)


def written(fields: Mapping[str, str]) -> str:
    """``fields`` as a query."""
    return urlencode(fields)


def refused(problem: BookbagError) -> HttpError:
    """How a browser is told that something could not be kept."""
    status = {
        "too-many": 429,
        "already-done": 409,
        "bad-argument": 400,
        "not-allowed": 403,
        "not-found": 404,
        "not-offered": 404,
        "disk-full": 507,
    }.get(problem.code, 500)
    return HttpError(status, problem.message, keep=True)
