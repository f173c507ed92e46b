"""Things that must never leave a laptop, and looking for them in bytes, however they are spelled there."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

#: What is a person's, or this one machine's: not in what leaves, not in what waits, not in any log.
PERSONAL: dict[str, str] = {
    "name": "Lina Canary Haddad",
    "user": "linacanary",
    "host": "canary-laptop-lina",
    "ssid": "CanaryHome Haddad 5G",
    "mac": "3c:22:fb:ca:4a:7e",
    "serial": "PF-CANARY-3K7XQ2",
    "file": "canary-diary-of-lina.odt",
    "folder": "/home/linacanary",
    "visited": "https://canary-news.example/article?about=lina",
    "mail": "lina.canary@family.example",
}
#: What policy itself may hold: it stays on the laptop and in its own journal, and is in no report.
POLICY: dict[str, str] = {
    "policy-url": "https://canary-homepage.example/start",
    "policy-site": "canary-blocked.example",
    "policy-path": "/usr/share/bookbag/canary-managed",
    "policy-id": "canary-for-lina",
    "policy-why": "because canary-reason of class 9b",
    "lock-text": "Call canary-teacher Mrs Haddad",
    "challenge": "K7M2-CANA",
    "content-title": "canary-book about a disease",
}


def spellings(canary: str) -> Iterator[bytes]:
    """The forms in which it could hide in bytes, all in lower case where case may change."""
    for text in {canary, canary.replace(":", ""), canary.replace(" ", "")}:
        for plain in (text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be")):
            yield plain.lower()
            yield plain.hex().encode()
        yield urllib.parse.quote(text).lower().encode()
        for spelled in (text, text.lower(), text.upper()):
            yield from (one.lower() for one in _base64(spelled.encode()))
            for kind in (hashlib.md5, hashlib.sha1, hashlib.sha256):  # looked for, not used
                digest = kind(spelled.encode()).hexdigest().encode()
                yield digest[:32]


def _base64(data: bytes) -> Iterator[bytes]:
    """The middle of its base64, at each of the three alignments."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + data).rstrip(b"=")
        middle = whole[(8 * shift + 5) // 6 : len(whole) - 1]
        if len(middle) > 8:
            yield middle
            yield middle.translate(bytes.maketrans(b"+/", b"-_"))


def unpacked(data: bytes) -> Iterator[bytes]:
    """``data``, and whatever is packed in it (gzip, zlib), wherever it begins."""
    yield data
    for magic, wbits in ((b"\x1f\x8b\x08", 31), (b"\x78\x9c", 15), (b"\x78\xda", 15)):
        at = data.find(magic)
        while at >= 0:
            with contextlib.suppress(zlib.error):
                yield zlib.decompressobj(wbits=wbits).decompress(data[at:], 4 << 20)
            at = data.find(magic, at + 1)


def found_in(data: bytes, canaries: Mapping[str, str]) -> set[str]:
    """Names of the canaries that occur in ``data``, in any spelling."""
    hay = [one.lower() for one in unpacked(data)]
    return {
        name
        for name, canary in canaries.items()
        if any(spelled in one for spelled in spellings(canary) for one in hay)
    }


def found_below(folder: Path, canaries: Mapping[str, str]) -> set[str]:
    """The same, in the names and contents of all files below ``folder``."""
    found: set[str] = set()
    for path in folder.rglob("*"):
        found |= found_in(path.name.encode(), canaries)
        if path.is_file() and not path.is_symlink():
            found |= found_in(path.read_bytes(), canaries)
    return found


def examples() -> Iterable[bytes]:
    """For the control: each spelling of one canary, packed and plain, amid other bytes."""
    text = PERSONAL["name"]
    for form in (
        text.encode(),
        text.upper().encode(),
        text.encode().hex().encode(),
        base64.b64encode(b"xy" + text.encode() + b"z"),
        base64.b64encode(b"x" + text.encode()),
        base64.urlsafe_b64encode(b"" + text.encode() + b"??>>"),
        urllib.parse.quote(text).encode(),
        text.encode("utf-16-le"),
        hashlib.sha256(text.encode()).hexdigest()[:40].encode(),
    ):
        yield b"before\xff" + form + b"\x00after"
        yield b"before" + gzip.compress(b"x" * 40 + form) + b"after"
