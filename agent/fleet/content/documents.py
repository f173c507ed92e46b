"""What a PDF says of itself, as far as it says it in the clear: title and language.

A whole PDF library at the desk would be a dependency of every laptop, for one line of text that IT can also
write. Where the title is packed away, the file's name has to do, or `--title`.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from agent.content.languages import is_language
from agent.fleet.content.pages import Facts, tidy

LOOKED_AT = 2 << 20  #: bytes at the beginning and at the end
_XMP_TITLE = re.compile(rb"<dc:title>.{0,400}?<rdf:li[^>]*>([^<]{1,600})</rdf:li>", re.DOTALL)
_INFO_TITLE = re.compile(rb"/Title\s*(\((?:[^()\\]|\\.){1,600}\)|<[0-9A-Fa-f\s]{2,1200}>)", re.DOTALL)
_AUTHORED = re.compile(rb"/(?:Producer|Creator|Author)")
_NEAR = 2_000  #: bytes
_LANG = re.compile(rb"/Lang\s*\(([A-Za-z0-9-]{2,35})\)")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def read_pdf(path: Path) -> Facts:
    """The facts of the PDF at ``path``."""
    size = path.stat().st_size
    with path.open("rb") as file:
        data = file.read(LOOKED_AT)
        if size > LOOKED_AT:
            file.seek(max(LOOKED_AT, size - LOOKED_AT))
            data += file.read(LOOKED_AT)
    lang = _LANG.search(data)
    found = lang[1].decode("ascii") if lang else ""
    return Facts(_title(data), found if is_language(found) else "")


def _title(data: bytes) -> str:
    described = _XMP_TITLE.search(data)
    if described:
        return tidy(html.unescape(described[1].decode("utf-8", "replace")))
    titles = [tidy(_text(match[1])) for match in _INFO_TITLE.finditer(data)]
    # Bookmarks have titles too; the document's own stands beside its author and producer, mostly at the end.
    own = next((found for one in _AUTHORED.finditer(data) if (found := _beside(data, *one.span()))), None)
    if own:
        return tidy(_text(own[1]))
    return titles[0] if len(titles) == 1 else ""


def _beside(data: bytes, start: int, end: int) -> re.Match[bytes] | None:
    """A title in the same dictionary as what stands there. Each look costs little, whatever the file says."""
    before, after = data[max(0, start - _NEAR) : start], data[end : end + _NEAR]
    opened = before.find(b"<<", before.rfind(b">>") + 1)
    closed = after.find(b">>")
    if -1 in (opened, closed):
        return None
    return _INFO_TITLE.search(before[opened:] + data[start:end] + after[:closed])


def _text(raw: bytes) -> str:
    if raw.startswith(b"<"):
        digits = re.sub(rb"\s", b"", raw[1:-1])
        data = bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    else:
        data = _ESCAPE.sub(_unescaped, raw[1:-1])
    if data.startswith((b"\xfe\xff", b"\xff\xfe")):
        return data.decode("utf-16", "replace")
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "replace")
    return data.decode("latin-1")


def _unescaped(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    if escape[:1].isdigit():
        return bytes([int(escape, 8) & 0xFF])
    return _LETTERS.get(escape, escape)
