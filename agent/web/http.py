"""HTTP/1.1 as far as a site repository and a portal need it: parse one request head
strictly, format one response head.

Pure: bytes in, values out. Everything that two programs could understand differently (folded headers, two
lengths, chunked
bodies, absolute targets, odd characters) is refused, so nothing in front of this service can be played
against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_HEAD = 16 << 10  #: bytes of request line and headers together
MAX_LINE = 4 << 10  #: bytes of one line of them
MAX_HEADERS = 64

REASONS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content",
    303: "See Other",
    304: "Not Modified",
    308: "Permanent Redirect",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
    507: "Insufficient Storage",
}

#: Methods that may come with a body.
WITH_BODY = frozenset(("POST", "PUT"))

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}\Z")
_TARGET = re.compile(rb"/[\x21-\x7e]*\Z")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")
_DIGITS = re.compile(r"[0-9]{1,18}\Z")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z")


class HttpError(Exception):
    """A request that is answered with an error status; the connection closes after it unless ``keep`` is
    set."""

    def __init__(
        self, status: int, text: str, *, keep: bool = False, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.keep = keep
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Ends:
    """Both ends of a connection, (address, port) each; ``("", 0)`` where there is none."""

    client: tuple[str, int] = ("", 0)
    server: tuple[str, int] = ("", 0)


@dataclass(frozen=True, slots=True)
class Request:
    """One parsed request head. ``path`` is the raw target before any ``?``, ``query`` what follows it; header
    names are lower case. ``ends`` are the connection's, as the kernel tells."""

    method: str
    path: str
    minor: int  #: HTTP/1.minor
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    ends: Ends = Ends()

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants the connection kept."""
        asked = {part.strip().lower() for part in self.headers.get("connection", "").split(",")}
        return "close" not in asked and (self.minor >= 1 or "keep-alive" in asked)

    def content_length(self) -> int | None:
        """The announced length of the body; None if none was announced. Raises HttpError 400."""
        text = self.headers.get("content-length")
        if text is None:
            return None
        if not _DIGITS.match(text):
            raise HttpError(400, "malformed Content-Length")
        return int(text)


def find_head(buffer: bytes | bytearray) -> int | None:
    """Length of the request head in ``buffer``, its blank line included; None if it is not complete yet.

    Raises HttpError 431 or 414 as soon as it is known to be too long.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > MAX_LINE and buffer.find(b"\r\n", 0, MAX_LINE + 2) < 0:
            raise HttpError(414, "the request line is too long")
        if len(buffer) > MAX_HEAD:
            raise HttpError(431, "the request head is too long")
        return None
    if end > MAX_HEAD:
        raise HttpError(431, "the request head is too long")
    return end + 4


def parse_head(head: bytes, ends: Ends = Ends()) -> Request:
    """The request in ``head`` (from `find_head`, blank line included) that came over ``ends``. Raises
    HttpError."""
    lines = head[:-4].split(b"\r\n")
    if len(lines) > MAX_HEADERS + 1:
        raise HttpError(431, "too many headers")
    if len(lines[0]) > MAX_LINE:
        raise HttpError(414, "the request line is too long")
    method, path, query, minor = _request_line(lines[0])
    headers = _headers(lines[1:])
    if minor >= 1 and "host" not in headers:
        raise HttpError(400, "a Host header is required")
    if "transfer-encoding" in headers:
        status = 411 if method in WITH_BODY else 501
        raise HttpError(status, "send a Content-Length, not a transfer encoding")
    request = Request(method, path, minor, headers, query, ends)
    if method not in WITH_BODY and request.content_length():
        raise HttpError(400, "this method takes no body")
    return request


def _request_line(line: bytes) -> tuple[str, str, str, int]:
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.match(parts[0]):
        raise HttpError(400, "malformed request line")
    method, target, version = parts
    if version not in (b"HTTP/1.0", b"HTTP/1.1"):
        raise HttpError(505 if version.startswith(b"HTTP/") else 400, "only HTTP/1.0 and HTTP/1.1")
    if not _TARGET.match(target):
        raise HttpError(400, "malformed request target")
    path, _, query = target.decode("ascii").partition("?")
    return method.decode("ascii"), path, query, 1 if version.endswith(b"1") else 0


def _headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        raw, colon, value = line.partition(b":")
        if len(line) > MAX_LINE:
            raise HttpError(431, "a header is too long")
        if not colon or not _TOKEN.match(raw) or not _VALUE.match(value):
            raise HttpError(400, "malformed header")
        name = raw.decode("ascii").lower()
        if name in headers:
            if name in ("host", "content-length", "transfer-encoding", "range", "expect"):
                raise HttpError(400, f"{name} was sent twice")
            headers[name] += ", " + value.strip().decode("latin-1")
        else:
            headers[name] = value.strip().decode("latin-1")
    return headers


def format_head(status: int, headers: Mapping[str, str]) -> bytes:
    """The bytes of a response head. Raises ValueError for a header that would be two."""
    lines = [f"HTTP/1.1 {status} {REASONS[status]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\n" in line or "\r" in line for line in lines):
        raise ValueError("a header with a line break")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def matches(header: str, etag: str) -> bool:
    """Whether ``etag`` (quoted) is named in an If-None-Match header, compared weakly."""
    if header.strip() == "*":
        return True
    return any(part.strip().removeprefix("W/") == etag for part in header.split(","))


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """(first, length) of the one byte range asked for; None if the header is to be ignored (several,
    another unit).

    Raises HttpError 416 when the range lies outside ``size`` bytes.
    """
    match = _RANGE.match(header.replace(" ", ""))
    if not match or match.group(0) == "bytes=-":
        return None
    first_text, last_text = match.groups()
    if first_text:
        first = int(first_text)
        last = min(int(last_text), size - 1) if last_text else size - 1
        if last_text and int(last_text) < first:
            return None
    else:
        first, last = max(size - int(last_text), 0), size - 1
    if first >= size or first > last:
        raise HttpError(
            416, "the range lies outside the file", keep=True, headers={"Content-Range": f"bytes */{size}"}
        )
    return first, last - first + 1
