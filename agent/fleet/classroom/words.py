"""The words of both sides: a signed question, its answer, and orders on their way in.

Whoever reads them has not met whoever wrote them: all of it is capped and read strictly.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from agent.core import jsontext
from agent.trust import dsse
from agent.trust.fields import Fields
from agent.trust.keys import SigningKey

VERSION = 1
LOOK, ORDERS = "/class/look", "/class/orders"
CONTENT_TYPE = "application/json"
#: Seconds that the clocks of a teacher and of the service may differ, and that what was signed stays fresh.
FRESH = 120
MOST_LOOK = 4 << 10  #: bytes of a question
MOST_POST = 256 << 10  #: bytes of orders in one request
MOST_ORDERS = 100  #: in one request: several classes at once
MOST_ENVELOPE = 8 << 10  #: bytes of one: it names a timetable and a reason
MOST_VIEW = 1 << 20  #: bytes of an answer
MOST_ROWS = 1000
_MOST_TIME = 1 << 40
_MOST_CLASS = 32
_MOST_WHY = 500


@dataclass(frozen=True, slots=True)
class Look:
    """What a teacher wants to see. ``class_`` "": all classes of theirs. ``at``: when it was asked."""

    class_: str
    school: str
    at: int


@dataclass(frozen=True, slots=True)
class Row:
    """One laptop. ``order``: the id of the newest session that is published for it ("": none), ``seq`` its
    number; ``timetable`` what that has on ("": nothing); ``state``: what the laptop said, once IT read it.
    ``held``: the id of an order that could not be filed, ``why``. ``given``: when the newest session was
    signed; ``answered``: when the laptop last returned a receipt since then (0: not yet)."""

    name: str
    device: str
    serial_sha256: str
    class_: str
    order: str = ""
    seq: int = 0
    timetable: str = ""
    until: int = 0
    by: str = ""
    state: str = ""
    held: str = ""
    why: str = ""
    given: int = 0
    answered: int = 0

    def value(self) -> dict[str, object]:
        """As JSON."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "class_"}
        return {**found, "class": self.class_}


@dataclass(frozen=True, slots=True)
class View:
    """The answer. ``at``: the service's clock; ``until``: when the teacher's key ends."""

    site: str
    epoch: int
    at: int
    until: int
    rows: tuple[Row, ...]

    def to_bytes(self) -> bytes:
        """As it goes over the line."""
        return jsontext.canonical(
            {
                "v": VERSION,
                "site": self.site,
                "epoch": self.epoch,
                "at": self.at,
                "until": self.until,
                "laptops": [one.value() for one in self.rows],
            }
        )


def make_look(look: Look, key: SigningKey) -> bytes:
    """The question, signed by a teacher's key."""
    value = {"v": VERSION, "class": look.class_, "school": look.school, "at": look.at}
    return dsse.sign(jsontext.canonical(value), dsse.LOOK_TYPE, [key])


def read_look(payload: bytes) -> Look:
    """What a question asks. Raises ``bad-envelope``, ``bad-json``, ``format-too-new``."""
    top = Fields(
        jsontext.parse(payload, what="look", max_bytes=MOST_LOOK, max_depth=3, max_nodes=20),
        "look",
        code="bad-envelope",
    )
    top.version(VERSION)
    return Look(
        top.text("class", _MOST_CLASS, ""), top.text("school", 32, ""), top.integer("at", 0, _MOST_TIME)
    )


def read_view(data: bytes) -> View:
    """The answer. Raises ``bad-envelope``, ``bad-json``, ``too-large``, ``format-too-new``."""
    value = jsontext.parse(data, what="answer", max_bytes=MOST_VIEW, max_depth=4, max_nodes=MOST_ROWS * 40)
    top = Fields(value, "the school's answer", code="bad-envelope")
    top.version(VERSION)
    return View(
        top.name("site"),
        top.integer("epoch", 1, 1 << 31),
        top.integer("at", 0, _MOST_TIME),
        top.integer("until", 0, _MOST_TIME),
        tuple(_row(one) for one in top.objects("laptops", MOST_ROWS)),
    )


def make_orders(envelopes: Sequence[bytes]) -> bytes:
    """Signed orders as they are sent."""
    return jsontext.canonical(
        {"v": VERSION, "orders": [base64.b64encode(one).decode("ascii") for one in envelopes]}
    )


def read_orders(data: bytes) -> tuple[bytes, ...]:
    """The envelopes; nothing in them is verified. Raises as `read_view`."""
    value = jsontext.parse(data, what="orders", max_bytes=MOST_POST, max_depth=3, max_nodes=MOST_ORDERS + 10)
    top = Fields(value, "orders", code="bad-envelope")
    top.version(VERSION)
    texts = top.texts("orders", MOST_ORDERS, MOST_ENVELOPE * 4 // 3 + 4)
    return tuple(dsse.decode_base64(text) for text in texts)


def _row(one: Fields) -> Row:
    return Row(
        name=one.name("name"),
        device=one.id("device"),
        serial_sha256=one.hex("serial_sha256", 32).hex(),
        class_=one.text("class", _MOST_CLASS),
        order=one.id("order") if one.text("order", 32, "") else "",
        seq=one.integer("seq", 0, 1 << 62, 0),
        timetable=one.name("timetable") if one.text("timetable", 64, "") else "",
        until=one.integer("until", 0, _MOST_TIME, 0),
        by=one.text("by", 200, ""),
        state=one.text("state", 40, ""),
        held=one.id("held") if one.text("held", 32, "") else "",
        why=one.text("why", _MOST_WHY, ""),
        given=one.integer("given", 0, _MOST_TIME, 0),
        answered=one.integer("answered", 0, _MOST_TIME, 0),
    )


def cut(why: str) -> str:
    """A reason, of the length that fits."""
    return why[:_MOST_WHY]
