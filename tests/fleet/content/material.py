"""What teachers bring, made for tests: folders of pages, archives, books, papers, films with captions."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.content.example import page, picture

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>"""
OPF = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:x</dc:identifier>
<dc:title>{title}</dc:title><dc:language>{lang}</dc:language></metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="c1" href="text/one%20a.xhtml" media-type="application/xhtml+xml"/>
<item id="c2" href="text/two.xhtml" media-type="application/xhtml+xml"/>
</manifest>
<spine page-progression-direction="{way}"><itemref idref="c2"/><itemref idref="c1"/></spine>
</package>"""
NAV = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>
<nav epub:type="toc"><ol><li><a href="text/two.xhtml">Chapter <b>two</b> first</a></li>
<li><a href="text/one%20a.xhtml#x">Then one</a></li></ol></nav></body></html>"""
VTT = "WEBVTT\n\n00:00.000 --> 00:02.000\n{text}\n"
SRT = "1\r\n00:00:01,5 --> 00:00:02,250\r\nHello\r\n\r\n2\r\n00:01:02,000 --> 00:01:03,000\r\nBye\r\n"
PDF = (
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Lang (ar-EG) >>\nendobj\n"
    b"2 0 obj\n<< /Title (A \\(small\\) paper) /Producer (x) >>\nendobj\ntrailer << /Info 2 0 R >>\n%%EOF\n"
)


def folder(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """A folder with these files."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def site(root: Path, *, pages: int = 3, lang: str = "en", title: str = "Rivers") -> Path:
    """A folder of pages with a picture."""
    made: dict[str, bytes | str] = {"index.html": page(title, "<a href=p0.html>Begin</a>", lang)}
    for number in range(pages):
        body = "".join(f"<p>Paragraph {n} of page {number}." for n in range(400))
        made[f"p{number}.html"] = page(f"Page {number} of {title}", body, lang)
    made["img/map.png"] = picture(32, 32)
    return folder(root, made)


def archive(path: Path, files: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip with these files."""
    with zipfile.ZipFile(path, "w", method) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def book(path: Path, *, title: str = "Two in one", lang: str = "en", way: str = "ltr") -> Path:
    """An EPUB of two chapters whose order is not that of their names."""
    files: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": OPF.format(title=title, lang=lang, way=way),
        "OEBPS/nav.xhtml": NAV,
        "OEBPS/text/one a.xhtml": page("One", "<p>First"),
        "OEBPS/text/two.xhtml": page("Two", "<p>Second"),
    }
    return archive(path, files)


def film(root: Path, size: int = 300_000) -> Path:
    """A video with captions in three languages beside it, one of them as SubRip."""
    made = folder(
        root,
        {
            "rivers.mp4": bytes(range(256)) * (size // 256),
            "rivers.en.vtt": VTT.format(text="Water"),
            "rivers.ar.srt": SRT,
            "rivers.fr.descriptions.vtt": VTT.format(text="Eau"),
            "rivers-2.en.vtt": VTT.format(text="another film's"),
        },
    )
    return made / "rivers.mp4"


def raw_zip(entries: list[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    """A zip of entries as they are, however odd."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for info, content in entries:
            made.writestr(info, content)
    return data.getvalue()
