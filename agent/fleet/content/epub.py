"""An EPUB that was taken apart: its title and language, and its chapters in the order of reading.

XML is read only here, at the desk, in small files of UTF-8, and never with entities or an internal subset of
a DTD.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from agent.content.languages import is_language
from agent.core.errors import BookbagError
from agent.fleet.content.pages import tidy

MOST_XML = 4 << 20  #: bytes
CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FORBIDDEN = re.compile(rb"<!ENTITY|<!DOCTYPE[^>]*\[", re.IGNORECASE)
_NS = {
    "c": "urn:oasis:names:tc:opendocument:xmlns:container",
    "o": "http://www.idpf.org/2007/opf",
    "d": "http://purl.org/dc/elements/1.1/",
    "n": "http://www.daisy.org/z3986/2005/ncx/",
    "h": "http://www.w3.org/1999/xhtml",
    "e": "http://www.w3.org/2001/04/xmlenc#",
}
_TYPE = "{http://www.idpf.org/2007/ops}type"
#: Fonts may be obfuscated; that hides no text.
_FONT_METHODS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


@dataclass(frozen=True, slots=True)
class Book:
    """``chapters``: paths in the order of reading; ``titles``: those that its table of contents gives."""

    title: str
    lang: str
    direction: str
    chapters: tuple[str, ...]
    titles: dict[str, str]


def read_book(root: Path) -> Book:
    """What the unpacked EPUB in ``root`` says. Raises ``bad-content`` with the file that is wrong."""
    _check_open(root)
    container = _parse(root, CONTAINER)
    rootfile = container.find(".//c:rootfile", _NS)
    opf_path = (rootfile.get("full-path") or "") if rootfile is not None else ""
    opf = _parse(root, opf_path)
    folder = posixpath.dirname(opf_path)
    manifest = {
        item.get("id", ""): item for item in opf.iterfind(".//o:manifest/o:item", _NS) if item.get("href")
    }
    spine = opf.find("o:spine", _NS)
    if spine is None:
        raise _bad(opf_path, "it has no order of reading")
    chapters = []
    for ref in spine.iterfind("o:itemref", _NS):
        item = manifest.get(ref.get("idref", ""))
        path = _resolved(folder, item.get("href", "")) if item is not None else ""
        if path and (root / path).is_file() and path not in chapters:
            chapters.append(path)
    if not chapters:
        raise _bad(opf_path, "none of its chapters is there")
    lang = (opf.findtext(".//d:language", "", _NS) or "").strip()
    return Book(
        title=tidy(opf.findtext(".//d:title", "", _NS) or ""),
        lang=lang if is_language(lang) else "",
        direction=_way(spine.get("page-progression-direction", "")),
        chapters=tuple(chapters),
        titles=_titles(root, folder, manifest, spine.get("toc", "")),
    )


def _check_open(root: Path) -> None:
    if not (root / _ENCRYPTION).is_file():
        return
    for method in _parse(root, _ENCRYPTION).iterfind(".//e:EncryptionMethod", _NS):
        if method.get("Algorithm") not in _FONT_METHODS:
            raise _bad(_ENCRYPTION, "the book is encrypted (DRM)")


def _titles(root: Path, folder: str, manifest: dict[str, ElementTree.Element], toc: str) -> dict[str, str]:
    """Titles by chapter, from the table of contents in either of its forms; none if it cannot be read."""
    found: dict[str, str] = {}
    try:
        for item in manifest.values():
            path = _resolved(folder, item.get("href", ""))
            if "nav" in (item.get("properties") or "").split():
                _from_nav(root, path, found)
        if not found and toc in manifest:
            path = _resolved(folder, manifest[toc].get("href", ""))
            for point in _parse(root, path).iterfind(".//n:navPoint", _NS):
                content = point.find("n:content", _NS)
                label = point.findtext("n:navLabel/n:text", "", _NS) or ""
                target = (content.get("src") or "") if content is not None else ""
                found.setdefault(_resolved(posixpath.dirname(path), target), tidy(label))
    except BookbagError:
        return {}
    return {path: title for path, title in found.items() if path and title}


def _from_nav(root: Path, path: str, found: dict[str, str]) -> None:
    for nav in _parse(root, path).iterfind(".//h:nav", _NS):
        if nav.get(_TYPE, "toc") == "toc":
            for link in nav.iterfind(".//h:a", _NS):
                target = _resolved(posixpath.dirname(path), link.get("href", ""))
                found.setdefault(target, tidy("".join(link.itertext())))


def _resolved(folder: str, href: str) -> str:
    """The path that ``href`` means, seen from ``folder``; "" for one that leads out of the book."""
    target = posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
    return "" if target.startswith(("..", "/")) or target == "." else target


def _parse(root: Path, path: str) -> ElementTree.Element:
    if not path or not (root / path).is_file():
        raise _bad(path or CONTAINER, "it is missing")
    with (root / path).open("rb") as file:
        data = file.read(MOST_XML + 1)
    if len(data) > MOST_XML or _FORBIDDEN.search(data):
        raise _bad(path, "it is too large, or declares entities")
    try:
        data.decode("utf-8")  # in another encoding, entities could hide from the line above
        return ElementTree.fromstring(data)  # noqa: S314 - no entity can be declared, and the file is small
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise _bad(path, f"it is not well-formed ({problem})") from None


def _way(text: str) -> str:
    return text if text in ("ltr", "rtl") else ""


def _bad(path: str, why: str) -> BookbagError:
    return BookbagError("bad-content", f"cannot read this EPUB: {why}", place=path)
