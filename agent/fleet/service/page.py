"""The fleet page: what IT sees in a browser on the service's own machine. Read-only, plain HTML, no
script."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.web.answers import Answer, Sink
from agent.web.http import HttpError, Request

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0
1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%;margin:0 0 2rem}th,td{text-align:start;padding:.35rem .75rem
.35rem 0;
border-bottom:1px solid
#ccc;vertical-align:top;overflow-wrap:anywhere}caption{text-align:start;font-weight:600;font-size:1.2rem;
padding:.5rem 0}@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}th,td{border-color:#444}}
"""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the page: a caption, column heads, and rows of plain text."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Page:
    """Handler of the admin listener. ``read`` gives the site's name and the tables, fresh for each
    request."""

    def __init__(self, read: Callable[[], tuple[str, Sequence[Table]]]) -> None:
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
        site, tables = self._read()
        return Answer(
            200,
            {
                "Content-Type": "text/html; charset=utf-8",
                "Cache-Control": "no-store",
                "Content-Security-Policy": _POLICY,
                "Referrer-Policy": "no-referrer",
                "X-Frame-Options": "DENY",
            },
            render(site, tables).encode("utf-8"),
        )


def render(site: str, tables: Sequence[Table]) -> str:
    """The page as HTML; every text is escaped."""
    title = html.escape(f"Bookbag: {site}")
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style><main><h1>{title}</h1>",
    ]
    for table in tables:
        parts.append(f"<table><caption>{html.escape(table.caption)}</caption><tr>")
        parts += [f"<th scope=col>{html.escape(cell)}</th>" for cell in table.head]
        parts.append("</tr>")
        for row in table.rows:
            parts.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>")
        if not table.rows:
            parts.append(f"<tr><td colspan={len(table.head)}>none</td></tr>")
        parts.append("</table>")
    return "".join([*parts, "</main></html>\n"])
