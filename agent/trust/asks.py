"""What a student asks of the school: "open this site", "change this setting".

A request is written down in the portal, which has no rights; root reads it here and nowhere else (I-1),
signs it as the laptop's and seals it to the desk, like a receipt (`agent.trust.returned`). It names the
laptop, what is asked for and the student's own words: no person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.core import jsontext, returns
from agent.core.errors import BookbagError
from agent.trust import dsse
from agent.trust.fields import Fields
from agent.trust.identity import DeviceIdentity, device_id, mailbox_name
from agent.trust.keys import PublicKey

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
_MOST_TIME = 1 << 40


@dataclass(frozen=True, slots=True)
class Draft:
    """What the portal wrote down for the user ``person`` (a user id in digits), as root read it."""

    id: str
    person: str
    kind: str  #: one of `KINDS`
    about: str  #: key of a setting, or id of a resource; "" where a site is asked for
    address: str  #: host name of a site; "" where a setting is
    words: str  #: the student's own, one line


@dataclass(frozen=True, slots=True)
class Request:
    """What the desk gets to read. ``at``: trusted unix seconds of the laptop."""

    id: str
    site: str
    device: str
    kind: str
    about: str
    address: str
    words: str
    at: int

    def to_bytes(self) -> bytes:
        """The payload that is signed."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return jsontext.canonical({"v": VERSION, **told})


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
    return Draft(id_, _person(top.text("person", 10)), *_asked(top))


def sign(request: Request, identity: DeviceIdentity) -> bytes:
    """The request as an envelope of the laptop's."""
    return dsse.sign(request.to_bytes(), dsse.ASK_TYPE, [identity.sign_key])


def return_name(site: str, device: str, id_: str) -> str:
    """What a request goes by under ``returns/``."""
    return f"{returns.ASK}{mailbox_name(site, device)}-{id_}"


def verify(envelope: bytes, sign_key: PublicKey) -> Request:
    """The request in an envelope that the laptop with ``sign_key`` signed. Raises ``bad-envelope``,
    ``bad-signature``, ``wrong-device``."""
    parsed = dsse.parse(envelope)
    if parsed.payload_type != dsse.ASK_TYPE:
        raise BookbagError(
            "bad-envelope", f"cannot take this for a request: it is {parsed.payload_type[:60]!r}"
        )
    if not parsed.signers([sign_key]):
        raise BookbagError("bad-signature", "cannot believe this request: the laptop did not sign it")
    top = Fields(jsontext.parse(parsed.payload, what="request"), "request", code="bad-envelope")
    top.version(VERSION)
    kind, about, address, words = _asked(top)
    at = top.integer("at", 0, _MOST_TIME)
    request = Request(top.id("id"), top.name("site"), top.id("device"), kind, about, address, words, at)
    if request.device != device_id(sign_key):
        raise BookbagError(
            "wrong-device", f"cannot believe this request: it speaks of device {request.device}"
        )
    return request


def is_host(text: str) -> bool:
    """Whether ``text`` is a site as it can be asked for: a host name with a dot, lower case, punycode."""
    return len(text) <= 253 and _HOST.match(text) is not None


def is_plain(text: str) -> bool:
    """Whether ``text`` can be shown anywhere: it moves no cursor and turns no line around."""
    return all(letter.isprintable() or letter in _JOINERS for letter in text)


def _asked(top: Fields) -> tuple[str, str, str, str]:
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
