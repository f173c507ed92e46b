"""A library that a browser can really open: a site with a script, a book, a PDF, a recording with
captions, a picture."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path

from agent.content.listing import Track
from tests.content.example import Maker, _not_here, picture

STYLE = b"body { font: 1rem/1.6 sans-serif; margin: 2rem; max-width: 40rem } h1 { color: #14532d }"
QUIZ = b"""
const answer = document.getElementById("answer");
document.getElementById("ask").addEventListener("click", async () => {
  const right = await (await fetch("data/answers.json")).json();
  answer.textContent = right.half;
});
document.body.dataset.ready = "yes";
"""


def html(title: str, body: str, lang: str = "en", way: str = "ltr") -> bytes:
    """A page as an editor makes it."""
    head = f'<meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="style.css">'
    begin = f'<!doctype html><html lang="{lang}" dir="{way}"><head>{head}</head>'
    return f"{begin}<body>{body}</body></html>".encode()


def xhtml(title: str, body: str) -> bytes:
    """A chapter as EPUBs hold it."""
    head = f'<title>{title}</title><link rel="stylesheet" href="style.css"/>'
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
        f'<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head>{head}</head><body>{body}</body></html>'
    ).encode()


def pdf(pages: int = 3) -> bytes:
    """A document of a few pages with a word on each."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(pages))
    objects.append(f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode())
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number in range(pages):
        text = f"BT /F1 36 Tf 72 700 Td (Page {number + 1}) Tj ET".encode()
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {5 + 2 * number} 0 R>>".encode()
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(text), text))
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj%s endobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))
    return out.getvalue()


def recording(seconds: int = 60) -> bytes:
    """A quiet tone."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        turn = [int(800 * math.sin(at / 8)) for at in range(8000)]
        file.writeframes(struct.pack("<8000h", *turn) * seconds)
    return out.getvalue()


def furnish(folder: Path) -> Maker:
    """Put it into the store at ``folder``; what else is wanted can be added."""
    make = Maker(folder)
    quiz = (
        "<h1>Fractions</h1><p><a href='halves.html'>Halves</a> <button id='ask'>What is a half?</button>"
        "<output id='answer'></output><img src='half.png' alt='A half'><script src='quiz.js'></script>"
    )
    site = [
        make.source(
            "index.html",
            html(
                "Fractions",
                quiz,
            ),
            title="Fractions",
        ),
        make.source(
            "halves.html", html("Halves", "<h1>Halves and quarters</h1><p>Half of a half."), title="Halves"
        ),
        make.source("half.png", picture(64, 64)),
        make.source("style.css", STYLE),
        make.source("quiz.js", QUIZ),
        make.source("data/answers.json", b'{"half": "one of two equal parts"}'),
    ]
    titles = {"en": "Fractions", "ar": "الكسور"}
    make.add(
        "maths.fractions", make.pack(site), titles, subject="mathematics", grade=("5", "6"), due="2027-03-01"
    )
    arabic = [
        make.source(
            "index.html",
            html("الكسور", "<h1>الكسور</h1><p>النصف هو جزء من جزأين متساويين.", "ar", "rtl"),
            title="الكسور",
        ),
        make.source("style.css", STYLE),
    ]
    make.add(
        "maths.kusur", make.pack(arabic), {"ar": "كتاب الكسور"}, "ar", subject="mathematics", grade=("5",)
    )
    chapters = ("Down the rabbit-hole", "The pool of tears", "A caucus-race")
    book = [
        make.source(
            f"text/c{number}.xhtml",
            xhtml(title, f"<h1>{title}</h1><p>Chapter {number}.</p>" + "<p>It goes on.</p>" * 60),
            title=title,
            order=number,
        )
        for number, title in enumerate(chapters, 1)
    ]
    book.append(make.source("text/style.css", STYLE))
    make.add(
        "library.alice",
        make.pack(book, "book", "text/c1.xhtml"),
        {"en": "Alice’s Adventures"},
        subject="reading",
        licence="public domain",
    )
    document = [make.source("safety.pdf", pdf(), title="Lab rules")]
    make.add(
        "science.rules", make.pack(document, "document", "safety.pdf"), {"en": "Lab rules"}, subject="science"
    )
    begin = "WEBVTT\n\n00:00.000 --> 00:40.000\n"
    tracks = (Track("water.en.vtt", "en", "captions"), Track("water.ar.vtt", "ar", "captions"))
    sound = [
        make.source("water.wav", recording(), title="The water cycle", tracks=tracks),
        make.source("water.en.vtt", f"{begin}Water rises.\n".encode()),
        make.source("water.ar.vtt", f"{begin}يتبخر الماء.\n".encode(), lang="ar"),
    ]
    make.add(
        "science.water",
        make.pack(sound, "audio", "water.wav"),
        {"en": "The water cycle", "ar": "دورة الماء"},
        subject="science",
    )
    table = [make.source("table.ods", b"PK\x03\x04 a table", title="Results")]
    make.add("science.results", make.pack(table, "file", "table.ods"), {"en": "Results"}, subject="science")
    poster = [make.source("poster.png", picture(200, 120), title="The water cycle, drawn")]
    make.add("science.poster", make.pack(poster, "image", "poster.png"), {"en": "Poster"}, subject="science")
    _not_here(make)
    return make
