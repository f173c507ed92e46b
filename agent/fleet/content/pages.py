"""What an HTML page says of itself: its title, language and direction, from its first bytes."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from html.parser import HTMLParser

from agent.content.bounds import MOST_TITLE
from agent.content.languages import is_language

LOOKED_AT = 256 << 10  #: bytes
ENDINGS = frozenset({"html", "htm", "xhtml"})
_CHARSET = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_DECLARED = re.compile(rb"""^<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9_.:-]{1,40})["']""")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Facts:
    """ "" where it does not say."""

    title: str = ""
    lang: str = ""
    direction: str = ""


def read_page(data: bytes) -> Facts:
    """The facts of a page that begins with ``data``."""
    head = _Head()
    try:
        head.feed(text_of(data))
    except _Enough:
        pass
    except (AssertionError, ValueError):  # html.parser on what is no HTML at all
        return Facts()
    direction = head.direction if head.direction in ("ltr", "rtl") else ""
    return Facts(tidy(head.title), head.lang if is_language(head.lang) else "", direction)


def text_of(data: bytes) -> str:
    """``data`` as text: by its mark, by what it declares, as UTF-8, or somehow."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    found = _DECLARED.search(data[:200]) or _CHARSET.search(data[:4096])
    for name in (found[1].decode("ascii") if found else "utf-8", "utf-8"):
        try:
            "a".encode(name)  # only to refuse what decodes to something else than text
            return codecs.getincrementaldecoder(name)().decode(data)
        except (LookupError, UnicodeError, ValueError, TypeError):
            continue
    return data.decode("latin-1")


def tidy(text: str) -> str:
    """One line of at most `MOST_TITLE` characters, without control characters."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split())[:MOST_TITLE].strip()


class _Enough(Exception):
    """The head is over."""


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.lang = ""
        self.direction = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag in ("html", "body"):
            self.lang = self.lang or known.get("lang", "") or known.get("xml:lang", "")
            self.direction = self.direction or known.get("dir", "").lower()
        if tag == "title" and not self.title:
            self._inside = True
        if tag == "body":
            raise _Enough

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.title += data[:MOST_TITLE]
