"""Teachers: who may start, extend and end what the school's policy lets them, in classes of their own, for
a year at most, and nothing else.

They are no persons of the site. What counts persons (policy, other orders, root, what laptops return) does
not know them, so that a teacher's lost key can do there what a stranger's can: nothing. An older version,
which reads no teachers, takes nothing from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.trust.fields import Fields
from agent.trust.keys import PublicKey

MOST = 400  #: of one site
MOST_CLASSES = 32  #: of one teacher
LONGEST = 366 * DAY  #: that a teacher's key may hold
_MOST_KEYS = 8
_LONGEST_CLASS = 32  #: characters, as in `assign`
_MOST_TIME = 1 << 40


@dataclass(frozen=True, slots=True)
class Teacher:
    """One teacher, with the keys that hold from ``since`` until ``until``, unix seconds."""

    id: str
    keys: tuple[PublicKey, ...]
    school: str
    classes: tuple[str, ...]
    since: int
    until: int

    def __post_init__(self) -> None:
        place = f"teachers.{self.id}"
        if not 0 < self.until - self.since <= LONGEST:
            why = f"a teacher's key holds for {LONGEST // DAY} days at most"
            raise BookbagError("bad-metadata", f"cannot accept teacher {self.id}: {why}", place=place)
        fit = all(0 < len(one) <= _LONGEST_CLASS for one in self.classes)
        if not 0 < len(self.classes) <= MOST_CLASSES or not fit:
            why = f"a teacher has one class or more, up to {MOST_CLASSES}, of {_LONGEST_CLASS} characters"
            raise BookbagError("bad-metadata", f"cannot accept teacher {self.id}: {why}", place=place)
        if not 1 <= len(self.keys) <= _MOST_KEYS:
            why = f"a teacher has one key or more, up to {_MOST_KEYS}"
            raise BookbagError("bad-metadata", f"cannot accept teacher {self.id}: {why}", place=place)

    def teaches(self, school: str, class_: str) -> bool:
        """Whether this is a class of theirs. A laptop without a class is nobody's."""
        return bool(class_) and self.school == school and class_ in self.classes

    def holds(self, issued: int, expires: int, at: int) -> bool:
        """Whether their key counts at ``at`` for an order that was issued, and expires, then: nothing that
        they begin outlasts the key."""
        return self.since <= issued <= expires <= self.until and at < self.until


def read(top: Fields) -> tuple[Teacher, ...]:
    """Those of trust.json. Raises ``bad-metadata``, ``bad-key``."""
    return tuple(
        Teacher(
            id=one.name("id"),
            keys=tuple(PublicKey.from_hex(text) for text in one.texts("keys", _MOST_KEYS)),
            school=one.name("school"),
            classes=one.texts("classes", MOST_CLASSES, _LONGEST_CLASS),
            since=one.integer("since", 0, _MOST_TIME),
            until=one.integer("until", 0, _MOST_TIME),
        )
        for one in (top.objects("teachers", MOST) if top.has("teachers") else ())
    )


def to_json(teachers: Sequence[Teacher]) -> dict[str, object]:
    """The part of trust.json; nothing where there are none, so that nobody has to sign trust anew for
    that."""
    rows = [
        {
            "id": one.id,
            "keys": [key.hex for key in one.keys],
            "school": one.school,
            "classes": list(one.classes),
            "since": one.since,
            "until": one.until,
        }
        for one in teachers
    ]
    return {"teachers": rows} if rows else {}
