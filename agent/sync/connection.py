"""A stream to one host in which nothing can take forever: every read and write is bounded by a deadline for
the whole request.

A server that drips a byte every few seconds resets a socket's own timeout again and again; it does not move
this deadline.
"""

from __future__ import annotations

import io
import socket
import ssl
import time

CONNECT_SECONDS = 10.0
READ_SECONDS = 15.0  #: that the host may stay silent
#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python does not name.
_NO_CHECK_TIME = 0x200000


class Deadline:
    """A moment by which everything must be over."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float, within: Deadline | None = None) -> None:
        self._end = time.monotonic() + seconds
        if within is not None:
            self._end = min(self._end, within._end)

    def left(self, most: float) -> float:
        """Seconds that one step may take. Raises TimeoutError once it is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long in all")
        return min(left, most)


class TimedStream:
    """What http.client needs of a socket (``sendall``, ``makefile``, ``close``), bounded by ``deadline`` at
    every step.
    """

    def __init__(self, stream: socket.socket, deadline: Deadline) -> None:
        self._stream = stream
        self.deadline = deadline
        self._readers = 0
        self._closed = False

    def sendall(self, data: bytes) -> None:
        """Send all of ``data``."""
        view = memoryview(data)
        while view:
            self._stream.settimeout(self.deadline.left(READ_SECONDS))
            view = view[self._stream.send(view[: 64 << 10]) :]

    def makefile(self, mode: str, *_: object) -> io.BufferedReader:
        """A reader over what arrives. As with sockets, the stream stays open until its last reader is closed:
        http.client closes the connection before it reads a body that ends with it.
        """
        self._readers += 1
        return io.BufferedReader(_Reader(self), 16 << 10)

    def receive_into(self, buffer: memoryview) -> int:
        """As socket.recv_into, within the deadline."""
        self._stream.settimeout(self.deadline.left(READ_SECONDS))
        return self._stream.recv_into(buffer)

    def close(self) -> None:
        """Close the stream, once nobody reads any more (idempotent)."""
        self._closed = True
        if self._readers == 0:
            self._stream.close()

    def reader_closed(self) -> None:
        """One reader is done."""
        self._readers -= 1
        if self._closed:
            self.close()


class _Reader(io.RawIOBase):
    """Reads from a TimedStream; closing it leaves the stream open for the next request."""

    def __init__(self, stream: TimedStream) -> None:
        self._stream = stream

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._stream.reader_closed()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # narrower than Buffer, which is all BufferedReader gives
        return self._stream.receive_into(buffer)


def connect(host: str, port: int, tls: ssl.SSLContext | None, deadline: Deadline) -> TimedStream:
    """A connected stream. Raises OSError (TimeoutError, ssl.SSLError, socket.gaierror among them)."""
    stream = socket.create_connection((host, port), timeout=deadline.left(CONNECT_SECONDS))
    try:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.settimeout(deadline.left(CONNECT_SECONDS))
        if tls is not None:
            stream = tls.wrap_socket(stream, server_hostname=host)
    except BaseException:
        stream.close()
        raise
    return TimedStream(stream, deadline)


def pinned(ca_file: str) -> ssl.SSLContext:
    """TLS to a host whose certificate hangs on exactly these certificates; "": on the system's.

    With our own certificates, dates are not looked at: a laptop whose clock stands in 1970 must be able to
    fetch the signed time that heals it, and what it fetches is trusted for its signatures, not for the line
    it came by.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
        context.verify_flags |= _NO_CHECK_TIME
    else:
        context.load_default_certs()
    return context
