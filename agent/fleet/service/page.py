"""The fleet page: what IT sees in a browser on the service's own machine. Read-only, plain HTML, no script;
its lists are links, and the search is a form that asks for another address.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from agent.web.answers import Answer, Sink
from agent.web.http import HttpError, Request

MOST_TEXT = 64  #: characters searched for
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0
1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%;margin:0 0 2rem}th,td{text-align:start;padding:.35rem .75rem
.35rem 0;
border-bottom:1px solid
#ccc;vertical-align:top;overflow-wrap:anywhere}caption{text-align:start;font-weight:600;font-size:1.2rem;
padding:.5rem 0}nav a,nav b{margin-inline-end:1rem}a{color:#0b57d0}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}th,td{border-color:#444}a{color:#8ab4f8}}
"""


@dataclass(frozen=True, slots=True)
class View:
    """What was asked for: a list of laptops, words that must be in a row, which page of what is left."""

    #: What lists there are, as the page calls them.
    LISTS: ClassVar[Mapping[str, str]] = {
        "all": "All laptops",
        "look": "Need a look",
        "silent": "Silent for two weeks",
        "locked": "Locked",
        "back": "Back from enrolment",
    }

    show: str = "all"
    find: str = ""
    page: int = 1

    @property
    def address(self) -> str:
        """Where it is shown."""
        asked = {"show": self.show, "find": self.find, "page": str(self.page)}
        plain = {"show": "all", "find": "", "page": "1"}
        return "/" + (f"?{urlencode(more)}" if (more := dict(asked.items() - plain.items())) else "")


def read_view(query: str) -> View:
    """What the part of an address after the ``?`` asks for. Raises HttpError 404."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=3)
        asked = dict(pairs)
        view = View(asked.pop("show", "all"), asked.pop("find", "").strip(), int(asked.pop("page", "1")))
    except ValueError:
        raise HttpError(404, "not found", keep=True) from None
    if asked or view.show not in View.LISTS or len(view.find) > MOST_TEXT or not 1 <= view.page <= 10_000:
        raise HttpError(404, "not found", keep=True)
    return view


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the page: a caption, column heads, rows of plain text, and what to say below."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    below: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """The whole page. The first table is ``view``'s part of ``found`` laptops, ``each`` of them on a page;
    ``counts``: how many are on each list."""

    site: str
    view: View
    tables: Sequence[Table]
    counts: Mapping[str, int] = field(default_factory=dict)
    found: int = 0
    each: int = 1


class Page:
    """Handler of the admin listener. ``read`` gives what is shown, fresh for each request."""

    def __init__(self, read: Callable[[View], Content]) -> None:
        self._read = read

    def handle(self, request: Request) -> Answer | Sink:
        """GET or HEAD of ``/`` only, and only under a loopback name (a web page elsewhere cannot rebind its
        way in)."""
        if request.headers.get("host", "").rpartition(":")[0] not in ("127.0.0.1", "localhost", "[::1]"):
            raise HttpError(421, "open this page as http://localhost")
        if request.method not in ("GET", "HEAD"):
            raise HttpError(405, "this page is for reading", headers={"Allow": "GET, HEAD"})
        if request.path != "/":
            raise HttpError(404, "not found", keep=True)
        return Answer(
            200,
            {
                "Content-Type": "text/html; charset=utf-8",
                "Cache-Control": "no-store",
                "Content-Security-Policy": _POLICY,
                "Referrer-Policy": "no-referrer",
                "X-Frame-Options": "DENY",
            },
            render(self._read(read_view(request.query))).encode("utf-8"),
        )


def render(content: Content) -> str:
    """The page as HTML; every text is escaped."""
    title = html.escape(f"Bookbag: {content.site}")
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style><main><h1>{title}</h1>",
    ]
    if content.counts:
        parts += _lists(content)
    for number, table in enumerate(content.tables):
        parts += _table(table)
        if number == 0 and content.counts:
            parts += _pages(content)
    return "".join([*parts, "</main></html>\n"])


def _lists(content: Content) -> Iterator[str]:
    """Links to each list, and the search in the one that is shown."""
    view = content.view
    yield "<nav aria-label=Lists>"
    for name, label in View.LISTS.items():
        text = f"{label}: {content.counts.get(name, 0)}"
        yield _link(View(name, view.find), text, current=name == view.show)
    yield (
        f"</nav><form role=search><input type=hidden name=show value={view.show}><label>Name, year or class: "
        f"<input type=search name=find maxlength={MOST_TEXT} value='{html.escape(view.find)}'></label> "
        "<button>Find</button></form>"
    )


def _pages(content: Content) -> Iterator[str]:
    """Where one is, and the ways on and back, where there is more than one page."""
    view, last = content.view, max(1, -(-content.found // content.each))
    if last == 1 and view.page == 1:
        return
    yield f"<nav aria-label=Pages><b>Page {view.page} of {last}</b>"
    if view.page > 1:
        yield _link(replace(view, page=min(view.page - 1, last)), "Back")
    if view.page < last:
        yield _link(replace(view, page=view.page + 1), "Next")
    yield "</nav>"


def _link(view: View, text: str, *, current: bool = False) -> str:
    mark = " aria-current=page" if current else ""
    return f"<a href='{html.escape(view.address)}'{mark}>{html.escape(text)}</a>"


def _table(table: Table) -> Iterator[str]:
    yield f"<table><caption>{html.escape(table.caption)}</caption><tr>"
    for cell in table.head:
        yield f"<th scope=col>{html.escape(cell)}</th>"
    yield "</tr>"
    for row in table.rows:
        yield "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
    if not table.rows:
        yield f"<tr><td colspan={len(table.head)}>none</td></tr>"
    yield "</table>"
    if table.below:
        yield f"<p>{html.escape(table.below)}</p>"
