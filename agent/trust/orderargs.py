"""What each kind of order says beyond its envelope: ``args``, read strictly into one value per kind.

Texts are shown to students on consoles and pages: they hold no character that could drive a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust import secretbox
from agent.trust.fields import Fields
from agent.trust.keys import PublicKey, SealPublicKey
from agent.trust.view import AssignArgs, Assignment, Order

MOST_LANGUAGES = 16
MOST_TEXT = 1000  #: characters in each language
MOST_CONTACT = 200
MOST_ARRANGED = 16  #: settings in one order
MOST_ARRANGED_BYTES = 1024  #: of all of them, as canonical JSON: any such order fits one sealed box
MOST_ARRANGED_LIST = 16
ANSWERS = ("yes", "no")
ACTIONS = ("start", "end")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_SETTING = re.compile(r"[a-z][a-z0-9-]{0,31}(\.[a-z][a-z0-9-]{0,63}){1,2}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")


class Asking(Protocol):
    """An order, or what is remembered of one."""

    @property
    def kind(self) -> str:
        """What it orders."""
        ...

    @property
    def args(self) -> Mapping[str, object]:
        """What it says beyond its envelope."""
        ...


@dataclass(frozen=True, slots=True)
class MessageArgs:
    """``text``: language → what the school says."""

    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReplyArgs:
    """What the school answers to the request ``ask``. ``policy``: what brings a yes about, "" for a no;
    ``until``: the last day of it, "" if it has none."""

    ask: str
    yes: bool
    text: Mapping[str, str]
    policy: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class SecretsArgs:
    """Which secrets the laptop has from now on, and no others; ``box``: their values, sealed to it."""

    names: tuple[str, ...]
    box: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ArrangeArgs:
    """``settings``: setting → its value as a policy has it, a text or a list of texts; none: nothing is
    arranged any more. ``until``: when it ends, unix seconds; 0: with the order, which may live longer, so
    that it reaches a laptop that has an earlier one."""

    settings: Mapping[str, object]
    until: int = 0


@dataclass(frozen=True, slots=True)
class LockArgs:
    """``message``: language → what the locked screen says; ``contact``: whom to ask. ``lost``: it is not
    where it should be, so that after a day it may be erased without grace."""

    message: Mapping[str, str]
    contact: str
    lost: bool


@dataclass(frozen=True, slots=True)
class SessionArgs:
    """``timetable``: what of the school's policy goes on, until the order expires; "" ends what a session put
    on."""

    timetable: str


def assign_args(order: Asking) -> AssignArgs:
    """Of `assign`. Raises ``bad-envelope``, as all of these do."""
    args = _args(order)
    return AssignArgs(
        school=args.name("school"),
        year=args.text("year", 32, ""),
        class_=args.text("class", 32, ""),
        sign_key=PublicKey(args.hex("sign_key", 32)),
        seal_key=SealPublicKey(args.hex("seal_key", 32)),
    )


def assignment(order: Order) -> Assignment:
    """Who the laptop is by a verified `assign`."""
    args = assign_args(order)
    return Assignment(
        school=args.school,
        year=args.year,
        class_=args.class_,
        order=order.id,
        seq=order.seq,
        persons=order.persons,
        issued=order.issued,
        epoch=order.epoch,
    )


def newer(held: Assignment | None, order: Order) -> Assignment:
    """Who the laptop is, once it obeyed this `assign` too."""
    if held is not None and order.turn < held.turn:
        return held
    return assignment(order)


def readmit_marks(order: Asking) -> dict[str, int]:
    """Of `readmit`: the least versions that a readmitted laptop must hold to; the desk remembers what the
    laptop lost."""
    args = _args(order)
    if not args.has("marks"):
        return {}
    marks = args.inside("marks")
    names = tuple(marks)
    for name in names:
        if name not in ("root", "targets", "epoch") and not name.startswith("seq."):
            raise BookbagError("bad-envelope", f"cannot obey readmit: it may not set mark {name[:40]!r}")
    return {name: marks.integer(name, 0, 1 << 40) for name in names}


def message_args(order: Asking) -> MessageArgs:
    """Of `message`: at least one text."""
    text = _texts(_args(order), "text")
    if not text:
        raise BookbagError("bad-envelope", "cannot obey message: it says nothing", place="args.text")
    return MessageArgs(text)


def reply_args(order: Asking) -> ReplyArgs:
    """Of `reply`: to which request, yes or no, perhaps why."""
    args = _args(order)
    until = args.text("until", 10, "")
    if until and not _DAY.match(until):
        raise BookbagError("bad-envelope", "cannot obey reply: until is no day", place="args.until")
    policy = args.name("policy") if args.has("policy") else ""
    yes = args.choice("answer", ANSWERS) == "yes"
    return ReplyArgs(args.id("ask"), yes, _texts(args, "text"), policy, until)


def secrets_args(order: Asking) -> SecretsArgs:
    """Of `secrets`: the names, in clear, and the sealed box. What is in that is judged by who opens it."""
    args = _args(order)
    return SecretsArgs(args.names("names", secretbox.MOST), args.base64("box", secretbox.MOST_BOX))


def arrange_args(order: Asking) -> ArrangeArgs:
    """Of `arrange`. What is wrong with it is not repeated: errors are shown, this is nobody's business."""
    given, until = order.args.get("settings"), order.args.get("until", 0)
    fits = (
        isinstance(given, Mapping)
        and type(until) is int
        and 0 <= until < 1 << 40
        and len(given) <= MOST_ARRANGED
        and all(_SETTING.match(key) and _is_value(value) for key, value in given.items())
        and len(jsontext.canonical(dict(given))) <= MOST_ARRANGED_BYTES
    )
    if not isinstance(given, Mapping) or not isinstance(until, int) or not fits:
        raise BookbagError("bad-envelope", "cannot obey arrange: it is malformed", place="args.settings")
    return ArrangeArgs(MappingProxyType(dict(given)), until)


def _is_value(value: object) -> bool:
    texts = value if isinstance(value, list) and len(value) <= MOST_ARRANGED_LIST else [value]
    return all(isinstance(one, str) and one.isprintable() for one in texts)


def lock_args(order: Asking) -> LockArgs:
    """Of `lock`; everything in it may be absent."""
    args = _args(order)
    contact = args.text("contact", MOST_CONTACT, "")
    _check_printable(contact, "args.contact")
    return LockArgs(_texts(args, "message"), contact, args.boolean("lost", False))


def session_args(order: Asking) -> SessionArgs:
    """Of `session`."""
    args = _args(order)
    start = args.choice("action", ACTIONS) == "start"
    return SessionArgs(args.name("timetable") if start else "")


def cancel_target(order: Asking) -> str:
    """Of `cancel`: the id of the order that is called off."""
    return _args(order).id("id")


def check(order: Asking) -> None:
    """Read what ``order`` says, and throw it away. Raises ``bad-envelope``."""
    reader = _READERS.get(order.kind)
    if reader is not None:
        reader(order)


_READERS = MappingProxyType(
    {
        "assign": assign_args,
        "readmit": readmit_marks,
        "message": message_args,
        "reply": reply_args,
        "secrets": secrets_args,
        "arrange": arrange_args,
        "lock": lock_args,
        "cancel": cancel_target,
        "session": session_args,
    }
)


def _args(order: Asking) -> Fields:
    return Fields(dict(order.args), f"{order.kind} order", path="args", code="bad-envelope")


def _texts(args: Fields, key: str) -> Mapping[str, str]:
    if not args.has(key):
        return MappingProxyType({})
    table = args.inside(key)
    languages = tuple(table)
    if len(languages) > MOST_LANGUAGES:
        raise BookbagError(
            "bad-envelope", f"cannot take more than {MOST_LANGUAGES} languages", place=f"args.{key}"
        )
    found = {}
    for language in languages:
        place = f"args.{key}.{language[:20]}"
        if not _LANGUAGE.match(language):
            raise BookbagError("bad-envelope", f"cannot take {language[:20]!r} for a language", place=place)
        found[language] = table.text(language, MOST_TEXT)
        _check_printable(found[language].replace("\n", ""), place)
    return MappingProxyType(found)


def _check_printable(text: str, place: str) -> None:
    if not text.isprintable():
        raise BookbagError("bad-envelope", "cannot take a text with control characters", place=place)
