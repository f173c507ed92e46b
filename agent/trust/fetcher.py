"""The one way in which the update framework's client gets bytes here: from named files, each judged and
strictly parsed first.

`Files` is where bytes come from: a mirror directory (on the laptop, for root) or a source and a mirror (for
the sync worker). Both go through the same client and the same rules (I-2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from urllib.parse import unquote

from tuf.api import exceptions
from tuf.ngclient.fetcher import FetcherInterface

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.paths import METADATA, MOST_NUMBER, cap

BASE = "mirror:///"


class Files(Protocol):
    """Named bytes. None where a name does not exist; BookbagError for anything that may not be read."""

    def read(self, name: str, most: int) -> bytes | None:
        """The bytes of ``name``, at most ``most`` of them."""
        ...


class Fetcher(FetcherInterface):
    """Hands named files to the client. ``taken``: every metadata and target file read, each exactly once,
    by name.

    ``failure`` is our own error behind the last download that failed, with code and place.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self.taken: dict[str, bytes] = {}
        self.failure: BookbagError | None = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = unquote(url.removeprefix(BASE))
        try:
            data = self.get(name)
        except BookbagError as error:
            self.failure = error
            raise exceptions.DownloadError(str(error)) from error
        if data is None:
            raise exceptions.DownloadHTTPError(f"no {name}", 404)
        return iter((data,))

    def get(self, name: str) -> bytes | None:
        """The bytes of ``name``, read once however often asked for; None if there is no such file."""
        if name not in self.taken:
            most = cap(name)
            data = self._files.read(name, most)
            if data is None:
                return None
            if len(data) > most:
                raise BookbagError("too-large", f"cannot take file: larger than {most} bytes", place=name)
            if name.startswith(f"{METADATA}/"):
                check_metadata(data, name)
            self.taken[name] = data
        return self.taken[name]


def check_metadata(data: bytes, name: str) -> None:
    """Refuse what is no strict JSON object, before the framework's own looser parser sees it (I-1)."""
    if not data.strip():
        raise BookbagError("bad-metadata", "cannot take metadata: the file is empty", place=name)
    if data.lstrip()[:1] == b"<":
        raise BookbagError(
            "network",
            "cannot take metadata: this is a web page, not signed metadata",
            place=name,
            remedy="the network may want a sign-in page first",
        )
    whole = jsontext.parse(data, what=name, max_bytes=cap(name))
    if not isinstance(whole, dict):
        raise BookbagError("bad-metadata", "cannot take metadata: not a JSON object", place=name)
    if odd := _odd_number(whole):
        raise BookbagError("bad-metadata", f"cannot take metadata: {odd} is no plain number", place=name)


#: Numbers of the specification. The framework's own parser also takes ``true`` for one, which Python counts
#: as 1, and integers of any size; what was stored so would not be read back.
_NUMBERS = frozenset(("bit_length", "length", "threshold", "version"))


def _odd_number(value: object) -> str:
    """The first of `_NUMBERS` that is a truth value or too great, at any depth (which the parser bounds); ""
    if none is."""
    if isinstance(value, list):
        return next(filter(None, map(_odd_number, value)), "")
    if not isinstance(value, dict):
        return ""
    for name in sorted(_NUMBERS & value.keys()):
        number = value[name]
        if isinstance(number, int) and (isinstance(number, bool) or abs(number) > MOST_NUMBER):
            return name
    return next(filter(None, map(_odd_number, value.values())), "")
