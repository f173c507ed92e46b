"""Serves the published site repository: GET and HEAD, ETag and 304, one byte range."""

from __future__ import annotations

import os

from agent.web.answers import Answer, FileSlice
from agent.web.docroot import components, open_below
from agent.web.http import HttpError, Request, matches, parse_range

#: The only folders below the docroot that exist for clients.
SERVED = ("metadata", "targets", "blobs")


class Repository:
    """The files of ``folder/metadata``, ``folder/targets`` and ``folder/blobs``, and nothing else of it."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def get(self, request: Request) -> Answer:
        """Answer one GET or HEAD. Raises HttpError."""
        parts = components(request.path)
        if parts[0] not in SERVED or len(parts) < 2:
            raise HttpError(404, "not found", keep=True)
        fd, status = open_below(self._folder, parts)
        try:
            return self._answer(request, parts, fd, status)
        except BaseException:
            os.close(fd)
            raise

    def _answer(self, request: Request, parts: tuple[str, ...], fd: int, status: os.stat_result) -> Answer:
        # Targets and blobs are named by their hash and never change; metadata must be asked for anew.
        hashed = parts[0] in ("targets", "blobs")
        # A blob's name is what it is, on every host: what one began to send, another may go on sending.
        blob = parts[-1] if parts[0] == "blobs" else ""
        etag = f'"{blob or f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"}"'
        headers = {
            "Content-Type": "application/json" if parts[-1].endswith(".json") else "application/octet-stream",
            "ETag": etag,
            "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
            "Accept-Ranges": "bytes",
        }
        if matches(request.headers.get("if-none-match", ""), etag):
            os.close(fd)
            return Answer(304, headers)
        asked = request.headers.get("range", "")
        unless = request.headers.get("if-range", etag)
        piece = parse_range(asked, status.st_size) if asked and unless == etag else None
        if piece is None:
            return Answer(200, headers, FileSlice(fd, 0, status.st_size))
        first, length = piece
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{status.st_size}"
        return Answer(206, headers, FileSlice(fd, first, length))
