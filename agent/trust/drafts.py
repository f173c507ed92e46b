"""What a student asks of the school as the portal writes it down: a draft, believed in nothing.

Apart from `agent.trust.asks`, for who only writes or shows one signs nothing and needs no cryptography.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.fields import Fields

VERSION = 1
SITE, SETTING = "open-site", "change-setting"
KINDS = (SITE, SETTING)
MOST_DRAFT = 4 << 10  #: bytes of what the portal writes down
MOST_WORDS = 500  #: characters
MOST_ABOUT = 200
_HOST = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")
#: Not to be seen, and yet part of how some languages are written.
_JOINERS = "\u200c\u200d"
_PERSON = re.compile(r"[0-9]{1,10}\Z")


@dataclass(frozen=True, slots=True)
class Draft:
    """What the portal wrote down for the user ``person`` (a user id in digits), as root read it."""

    id: str
    person: str
    kind: str  #: one of `KINDS`
    about: str  #: key of a setting, or id of a resource; "" where a site is asked for
    address: str  #: host name of a site; "" where a setting is
    words: str  #: the student's own, one line


def draft_bytes(draft: Draft) -> bytes:
    """``draft`` as the portal leaves it for root. Raises ``bad-argument`` for what root would not take."""
    told = {name: getattr(draft, name) for name in draft.__dataclass_fields__ if name != "id"}
    data = jsontext.canonical({"v": VERSION, **told})
    try:
        parse_draft(data, draft.id)
    except BookbagError as problem:
        raise BookbagError("bad-argument", problem.message, place=problem.place) from None
    return data


def parse_draft(data: bytes, id_: str) -> Draft:
    """What lies in the file called ``id_``. Whoever wrote it is believed in nothing. Raises ``bad-json``,
    ``bad-envelope``, ``too-large``, ``format-too-new``."""
    top = Fields(jsontext.parse(data, what="request", max_bytes=MOST_DRAFT), "request", code="bad-envelope")
    top.version(VERSION)
    return Draft(id_, _person(top.text("person", 10)), *asked(top))


def is_host(text: str) -> bool:
    """Whether ``text`` is a site as it can be asked for: a host name with a dot, lower case, punycode."""
    return len(text) <= 253 and _HOST.match(text) is not None


def is_plain(text: str) -> bool:
    """Whether ``text`` can be shown anywhere: it moves no cursor and turns no line around."""
    return all(letter.isprintable() or letter in _JOINERS for letter in text)


def asked(top: Fields) -> tuple[str, str, str, str]:
    """(kind, about, address, words), consistent with each other."""
    kind = top.choice("kind", KINDS)
    about, address = top.text("about", MOST_ABOUT), top.text("address", 253)
    words = top.text("words", MOST_WORDS)
    if not (is_plain(about) and is_plain(words)):
        raise BookbagError("bad-envelope", "cannot take a request with control characters", place="words")
    if kind == SITE and (about or not is_host(address)):
        raise BookbagError(
            "bad-envelope", f"cannot take {address[:80]!r} for the name of a site", place="address"
        )
    if kind == SETTING and (address or not about.strip()):
        raise BookbagError("bad-envelope", "cannot tell which setting is meant", place="about")
    return kind, about, address, words


def _person(text: str) -> str:
    if not _PERSON.match(text):
        raise BookbagError("bad-envelope", f"cannot take {text!r} for a user", place="person")
    return str(int(text))
