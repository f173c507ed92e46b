"""An https host as a source: plain GETs without redirects or encodings, each bounded in bytes and time; PUTs
for returns.
"""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import SplitResult, quote, urlsplit

from agent.core.errors import BookbagError
from agent.sync.connection import Deadline, TimedStream, connect, pinned
from agent.sync.source import MAX_TIMESTAMP, TIMESTAMP, Part, SourceFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.sync.ports import Posted

REQUEST_SECONDS = 60.0
MAX_TAG = 200
_PORTAL = "a sign-in page of this network may be in the way: open any web page and sign in"


class HttpsSource:
    """Files below ``url`` (https, or http where signatures alone are to protect). One connection, kept
    between requests.
    """

    def __init__(self, url: str, ca_file: str, deadline: Deadline) -> None:
        """``ca_file``: PEM certificates to pin the host to, "" for the system's. ``deadline`` bounds the
        whole round.
        """
        self.name = url
        parts = _checked(url)
        self._tls: ssl.SSLContext | None = None
        self._ca_file = ca_file
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._authority = parts.netloc
        self._base = parts.path.rstrip("/")
        self._deadline = deadline
        self._connection: http.client.HTTPConnection | None = None

    def probe(self, tag: str) -> tuple[bytes, str] | None:
        """As `Source.probe`; the tag is the ETag."""
        headers = {"If-None-Match": tag} if tag else {}
        answer = self._ask("GET", TIMESTAMP, headers)
        if answer.status == 304 and tag:
            answer.read(0)
            answer.close()
            return None
        data = self._body(answer, TIMESTAMP, MAX_TIMESTAMP)
        if data is None:
            raise self._failed(
                "there is no site repository (404)",
                TIMESTAMP,
                remedy="check `urls` in agent.yaml",
                answered=True,
            )
        new_tag = answer.headers.get("ETag") or ""
        return data, new_tag if len(new_tag) <= MAX_TAG and new_tag.isprintable() else ""

    def open(self, path: str, max_bytes: int) -> Iterator[bytes]:
        """As `Source.open`."""
        data = self._body(self._ask("GET", path, {}), path, max_bytes)
        if data is None:
            raise BookbagError(
                "not-found", "cannot find this at the host (404)", place=f"{self.name}: {path}"
            )
        return iter((data,))

    def part(self, path: str, first: int, tag: str, most: int) -> Part:
        """As `Source.part`: a range that holds only if the file is unchanged; the round's deadline bounds it,
        since a slow line may take long over one file.
        """
        headers = {"Range": f"bytes={first}-", "If-Range": tag} if first and tag else {}
        answer = self._ask("GET", path, headers, seconds=None)
        if answer.status == 416 and headers:  # it has become shorter than what is here
            self._finish(answer)
            return self.part(path, 0, "", most)
        begin = first if answer.status == 206 and headers else 0
        if answer.status == 404:
            self._finish(answer)
            place = f"{self.name}: {path}"
            raise BookbagError("not-found", "cannot find this at the host (404)", place=place)
        if answer.status != 200 and not (answer.status == 206 and self._is_from(answer, begin)):
            raise self._refused(answer, path)
        self._check_plain(answer, path)
        if answer.length is not None and begin + answer.length > most:
            self._drop(answer)
            raise self._too_large(path, most)
        new_tag = answer.headers.get("ETag") or ""
        strong = len(new_tag) <= MAX_TAG and new_tag.isprintable() and not new_tag.startswith("W/")
        pieces = self._pieces(answer, path, most - begin)
        return Part(begin, new_tag if strong else "", pieces, lambda: self._end(answer))

    def deliver(self, name: str, data: bytes) -> str:
        """As `Source.deliver`: PUT ``returns/NAME``."""
        place = f"returns/{name}"
        answer = self._ask("PUT", place, {"Content-Type": "application/octet-stream"}, data)
        self._finish(answer)
        if answer.status in (200, 201, 202, 204):
            return "delivered"
        if answer.status == 409:
            return "already"
        raise self._refused(answer, place)

    def post(self, path: str, headers: dict[str, str], body: bytes, most: int) -> Posted:
        """POST ``body`` and read the answer, at most ``most`` bytes of it. Raises SourceFailed when nothing
        that is HTTP came back; every status is an answer here, and nothing is followed.
        """
        from agent.sync.ports import Posted  # what a probe does without

        answer = self._ask("POST", path, headers, body)
        kind = answer.headers.get_content_type() if "Content-Type" in answer.headers else ""
        retry_after = _seconds(answer.headers.get("Retry-After"))
        plain = answer.headers.get("Content-Encoding", "identity").strip().lower() == "identity"
        told = answer.length is not None or answer.chunked  # else whoever hangs up in a head has said yes
        if not plain or not told or (answer.length or 0) > most:
            self._drop(answer)
            return Posted(answer.status, kind, b"", retry_after, whole=False)
        return Posted(answer.status, kind, self._taken(answer, path, most), retry_after)

    def connect(self) -> None:
        """Open the connection, TLS verified, before anything is said. Raises SourceFailed."""
        try:
            self._open(Deadline(REQUEST_SECONDS, self._deadline))
        except OSError as problem:
            self.close()
            raise self._failed(_why(problem), self._base or "/") from None

    def close(self) -> None:
        """As `Source.close`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(
        self,
        method: str,
        name: str,
        headers: dict[str, str],
        body: bytes | None = None,
        seconds: float | None = REQUEST_SECONDS,
    ) -> http.client.HTTPResponse:
        """Send one request and read the head of its answer. A kept connection that the host has closed is
        opened anew, once.
        """
        deadline = self._deadline if seconds is None else Deadline(seconds, self._deadline)
        path = f"{self._base}/{quote(name)}"
        headers = {"Host": self._authority, "User-Agent": "bookbag", "Accept-Encoding": "identity", **headers}
        kept = self._connection is not None
        try:
            while True:
                try:
                    connection = self._open(deadline)
                    connection.request(method, path, body=body, headers=headers)
                    return connection.getresponse()
                except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                    self.close()
                    if not kept:
                        raise
                    kept = False
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise self._failed(
                _why(problem), name, answered=isinstance(problem, http.client.HTTPException)
            ) from None

    def _open(self, deadline: Deadline) -> http.client.HTTPConnection:
        if self._connection is None:
            if self._secure and self._tls is None:
                self._tls = pinned(self._ca_file)
            connection = http.client.HTTPConnection(self._host, self._port)
            connection.sock = connect(self._host, self._port, self._tls, deadline)
            connection.auto_open = 0
            self._connection = connection
        stream = self._connection.sock
        assert isinstance(stream, TimedStream)  # noqa: S101  # set above
        stream.deadline = deadline
        return self._connection

    def _body(self, answer: http.client.HTTPResponse, name: str, most: int) -> bytes | None:
        if answer.status == 404:
            self._finish(answer)
            return None
        if answer.status != 200:
            raise self._refused(answer, name)
        self._check_plain(answer, name)
        if answer.length is not None and answer.length > most:
            self._drop(answer)
            raise self._too_large(name, most)
        return self._taken(answer, name, most)

    def _check_plain(self, answer: http.client.HTTPResponse, name: str) -> None:
        """It is the file itself: no web page in its place, not packed."""
        if answer.headers.get_content_type() == "text/html":
            self._drop(answer)
            raise self._failed(
                "the answer is a web page instead of the file", name, remedy=_PORTAL, answered=True
            )
        if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            self._drop(answer)
            raise self._failed("the answer is compressed, though that was not asked for", name, answered=True)

    @staticmethod
    def _is_from(answer: http.client.HTTPResponse, first: int) -> bool:
        return (answer.headers.get("Content-Range") or "").startswith(f"bytes {first}-")

    def _pieces(self, answer: http.client.HTTPResponse, name: str, most: int) -> Iterator[bytes]:
        promised, size = answer.length, 0
        try:
            while chunk := answer.read(min(32 << 10, most + 1 - size)):
                size += len(chunk)
                if size > most:
                    raise self._too_large(name, most)
                yield chunk
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise self._failed(_why(problem), name, answered=True) from None
        if promised is not None and size != promised:
            raise self._failed(f"the answer ended after {size} of {promised} bytes", name, answered=True)

    def _end(self, answer: http.client.HTTPResponse) -> None:
        """Be done with an answer: what was read to its end leaves the connection for the next."""
        if not answer.isclosed() or answer.will_close:
            self._drop(answer)

    def _taken(self, answer: http.client.HTTPResponse, name: str, most: int) -> bytes:
        promised = answer.length
        data = bytearray()
        try:
            while chunk := answer.read(min(32 << 10, most + 1 - len(data))):
                data += chunk
                if len(data) > most:
                    raise self._too_large(name, most)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise self._failed(_why(problem), name, answered=True) from None
        finally:
            if not answer.isclosed() or answer.will_close:
                self._drop(answer)
        if promised is not None and len(data) != promised:
            self.close()
            raise self._failed(f"the answer ended after {len(data)} of {promised} bytes", name, answered=True)
        return bytes(data)

    def _finish(self, answer: http.client.HTTPResponse) -> None:
        """Read a short body that nobody wants, so that the connection can be used again; drop it if that is
        not cheap.
        """
        try:
            if answer.length is None or answer.length > 16 << 10:
                self._drop(answer)
            else:
                answer.read()
        except (OSError, http.client.HTTPException, ValueError):
            self._drop(answer)

    def _drop(self, answer: http.client.HTTPResponse) -> None:
        """Be done with an answer and its connection, whatever is left unread."""
        answer.close()
        self.close()

    def _refused(self, answer: http.client.HTTPResponse, name: str) -> SourceFailed:
        self._drop(answer)
        status = answer.status
        if 300 <= status < 400:
            to = (answer.headers.get("Location") or "elsewhere")[:200]
            return self._failed(
                f"the answer points to {to!r} ({status})", name, remedy=_PORTAL, answered=True
            )
        if status == 511:
            return self._failed(
                "the network wants a sign-in first (511)", name, remedy=_PORTAL, answered=True
            )
        return self._failed(
            f"the host answered {status}",
            name,
            answered=True,
            retry_after=_seconds(answer.headers.get("Retry-After")),
        )

    def _too_large(self, name: str, most: int) -> SourceFailed:
        return SourceFailed(
            f"cannot take {name}: it is larger than {most} bytes",
            place=self.name,
            answered=True,
            code="too-large",
        )

    def _failed(
        self, why: str, name: str, *, remedy: str = "", answered: bool = False, retry_after: int = 0
    ) -> SourceFailed:
        return SourceFailed(
            f"cannot reach {name}: {why}",
            place=self.name,
            remedy=remedy,
            answered=answered,
            retry_after=retry_after,
        )


def _checked(url: str) -> SplitResult:
    wrong = BookbagError(
        "bad-config", "cannot use this address: it must be https://host[:port][/path]", place=url[:200]
    )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    extra = parts.username or parts.query or parts.fragment
    if parts.scheme not in ("https", "http") or not parts.hostname or extra or port == 0:
        raise wrong
    return parts


def _why(problem: BaseException) -> str:
    """A network error in words."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"the host's certificate is not the school's ({problem.verify_message})"
    if isinstance(problem, TimeoutError):
        return "it took too long"
    if isinstance(problem, http.client.IncompleteRead):
        return "the answer ended early"
    if isinstance(problem, http.client.RemoteDisconnected):
        return "the host closed the connection without an answer"
    if isinstance(problem, http.client.HTTPException):
        return f"the answer is not HTTP ({type(problem).__name__})"
    if isinstance(problem, OSError):
        return problem.strerror or str(problem) or type(problem).__name__
    return str(problem)


def _seconds(retry_after: str | None) -> int:
    """Retry-After in seconds; a date is not believed (whose clock?) and counts as ten minutes."""
    if not retry_after:
        return 0
    text = retry_after.strip()
    return min(int(text), 86400) if text.isdecimal() and len(text) < 10 else 600
