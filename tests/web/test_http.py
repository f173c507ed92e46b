"""Requests are understood in one way or refused; the server around them is tried over sockets in
tests/fleet/test_service.py."""

from __future__ import annotations

import pytest

from agent.web import http
from agent.web.docroot import components
from agent.web.http import HttpError

PLAIN = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nA: 1\r\na:  2 \r\n\r\n"


def test_a_plain_head_is_read() -> None:
    assert http.find_head(PLAIN + b"rest") == len(PLAIN)
    request = http.parse_head(PLAIN)
    assert (request.method, request.path, request.query, request.minor) == ("GET", "/a", "b=c", 1)
    assert dict(request.headers) == {"host": "x", "a": "1, 2"}
    assert request.keep_alive and request.content_length() is None


def test_an_unfinished_head_waits_and_an_endless_one_does_not() -> None:
    assert http.find_head(PLAIN[:-1]) is None
    with pytest.raises(HttpError) as line:
        http.find_head(b"a" * (http.MAX_LINE + 1))
    with pytest.raises(HttpError) as head:
        http.find_head(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * http.MAX_HEAD)
    assert (line.value.status, head.value.status) == (414, 431)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"GET / HTTP/1.1", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nhost: x", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", 501),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", 411),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 7", 400),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 7", 0),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7", 0),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", 411),
        (b"GET / HTTP/3.0\r\nHost: x", 505),
        (b"GET /\x7f HTTP/1.1\r\nHost: x", 400),
        (b"GET x HTTP/1.1\r\nHost: x", 400),
    ],
)
def test_what_two_programs_could_read_differently_is_refused(lines: bytes, status: int) -> None:
    try:
        http.parse_head(lines + b"\r\n\r\n")
        refused = 0
    except HttpError as error:
        refused = error.status
    assert refused == status


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 5)),
        ("bytes=-3", (7, 3)),
        ("bytes=-300", (0, 10)),
        ("bytes=2-100", (2, 8)),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=5-4", None),
        ("bytes=-", None),
    ],
)
def test_ranges(asked: str, found: tuple[int, int] | None) -> None:
    assert http.parse_range(asked, 10) == found


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_range_outside_the_file_is_said_to_be(asked: str) -> None:
    with pytest.raises(HttpError) as error:
        http.parse_range(asked, 10)
    assert error.value.status == 416 and error.value.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize(
    "path",
    ["/../a", "/%2e%2e/a", "/a%2fb", "/.hidden", "/a//b", "/a/", "/" + "a/" * 9 + "a", "/%ff", "/a%00"],
)
def test_paths_that_lead_elsewhere_name_nothing(path: str) -> None:
    assert components("/a/b-1.c") == ("a", "b-1.c")
    with pytest.raises(HttpError) as error:
        components(path)
    assert error.value.status == 404


def test_a_header_cannot_become_two() -> None:
    assert http.format_head(200, {"A": "b"}) == b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    for value in ("b\r\nSet-Cookie: x=y", "b\nC: d"):
        with pytest.raises(ValueError, match="line break"):
            http.format_head(200, {"A": value})
