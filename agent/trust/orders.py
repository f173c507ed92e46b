"""Orders to one laptop: sealed in its mailbox, signed by persons, verified step by step.

`STEPS` is the order of DESIGN §4, each step one small function that raises; leaving any out must break a
test. Only the kinds in `HANDLED` are obeyed by this version.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

from agent.core import jsontext
from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.trust import dsse, floors
from agent.trust.fields import Fields
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import PublicKey, SealPublicKey
from agent.trust.marks import Marks
from agent.trust.persons import TrustDocument
from agent.trust.sealing import unseal
from agent.trust.view import AssignArgs, Order, Refusal

VERSION = 1
HANDLED = ("readmit", "assign")
MOST_ORDERS = 32  #: in one mailbox
MOST_JUMP = (
    1000  #: how far a sequence number may run ahead of the last: bounds what a stolen key can fast-forward
)
_MOST_TIME = 1 << 40
_MOST_SEEN = 256


@dataclass(frozen=True, slots=True)
class Context:
    """Who reads the mailbox, and what is trusted about it so far. ``at``: trusted unix seconds, newest
    signed time included."""

    identity: DeviceIdentity
    serial_sha256: str
    trust: TrustDocument
    marks: Marks
    at: int
    now: Now


@dataclass(slots=True)
class Draft:
    """An order on its way through the steps."""

    envelope: dsse.Envelope
    kind: str
    slot: str
    site: str
    device: str
    epoch: int
    serial_sha256: str
    order: Order

    @property
    def held(self) -> str:
        """How the ledger remembers the order that holds its slot."""
        return f"{self.order.id}:{self.order.digest}"


def read_mailbox(sealed: bytes, context: Context) -> tuple[list[Order], list[Refusal]]:
    """The orders in a sealed mailbox that hold, lowest sequence number first, and why the others do not.

    Advances the marks of accepted orders in memory: the caller commits them before acting. Raises
    ``bad-envelope`` if the mailbox itself does not open.
    """
    drafts: list[Draft] = []
    refusals: list[Refusal] = []
    for number, envelope in enumerate(open_mailbox(sealed, context.identity)):
        try:
            drafts.append(parse_order(envelope))
        except BookbagError as error:
            refusals.append(Refusal(f"order {number + 1}", error.code, error.message))
    accepted: list[Order] = []
    drafts.sort(key=lambda draft: (draft.kind not in HANDLED[:1], draft.order.seq))
    for draft in drafts:
        try:
            for step in STEPS:
                step(draft, context)
        except BookbagError as error:
            refusals.append(Refusal(f"{draft.kind} {draft.order.id}", error.code, error.message))
            continue
        remember(draft, context)
        accepted.append(draft.order)
    return accepted, refusals


def open_mailbox(sealed: bytes, identity: DeviceIdentity) -> tuple[bytes, ...]:
    """The envelopes in a mailbox. Raises ``bad-envelope``."""
    plain = unseal(sealed, identity.seal_key, purpose="mail")
    top = Fields(jsontext.parse(plain, what="mailbox"), "mailbox", code="bad-envelope")
    top.version(VERSION)
    return tuple(
        dsse.decode_base64(text) for text in top.texts("envelopes", MOST_ORDERS, dsse.MOST_BYTES * 2)
    )


def make_mailbox(envelopes: tuple[bytes, ...] | list[bytes]) -> bytes:
    """The plaintext of a mailbox holding ``envelopes``."""
    return jsontext.canonical(
        {"v": VERSION, "envelopes": [base64.b64encode(one).decode() for one in envelopes]}
    )


def parse_order(data: bytes) -> Draft:
    """The order in an envelope, nothing verified. Raises ``bad-envelope`` or ``format-too-new``."""
    envelope = dsse.parse(data)
    if envelope.payload_type != dsse.ORDER_TYPE:
        raise BookbagError("bad-envelope", f"cannot accept order: its type is {envelope.payload_type[:60]!r}")
    value = jsontext.parse(envelope.payload, what="order", max_bytes=dsse.MOST_BYTES)
    top = Fields(value, "order", code="bad-envelope")
    top.version(VERSION)
    kind = top.name("kind")
    issued = top.integer("issued", 0, _MOST_TIME)
    args = value["args"] if isinstance(value, dict) and isinstance(value.get("args"), dict) else {}
    order = Order(
        id=top.id("id"),
        kind=kind,
        seq=top.integer("seq", 1, 1 << 62),
        issued=issued,
        not_before=top.integer("not_before", 0, _MOST_TIME, issued),
        expires=top.integer("expires", 0, _MOST_TIME),
        args=MappingProxyType(dict(args)),
        reason=top.text("reason", 1000, ""),
        persons=(),
        digest=_digest(envelope.payload),
    )
    return Draft(
        envelope=envelope,
        kind=kind,
        slot=top.name("slot") if top.has("slot") else kind,
        site=top.name("site"),
        device=top.id("device"),
        epoch=top.integer("epoch", 1, 1 << 31),
        serial_sha256=top.hex("serial_sha256", 32).hex(),
        order=order,
    )


def check_signatures(draft: Draft, context: Context) -> None:
    """Enough different persons, entitled to this kind, signed. The floor is compiled in (I-4)."""
    persons = context.trust.entitled(draft.kind)
    signed = dsse.count(draft.envelope, persons, context.trust.needed(draft.kind))
    draft.order = replace(draft.order, persons=signed.persons)


def check_kind(draft: Draft, context: Context) -> None:
    """This version knows how to obey it."""
    if draft.kind not in HANDLED or draft.slot != draft.kind:
        raise BookbagError(
            "not-supported", f"cannot obey order of kind {draft.kind}: this version does not know it"
        )


def check_site(draft: Draft, context: Context) -> None:
    """It is of this site."""
    if draft.site != context.trust.site:
        raise BookbagError("wrong-site", f"cannot obey order: it is of site {draft.site}")


def check_device(draft: Draft, context: Context) -> None:
    """It is for this device, in its present life."""
    if draft.device != context.identity.id:
        raise BookbagError("wrong-device", f"cannot obey order: it is for device {draft.device}")


def check_epoch(draft: Draft, context: Context) -> None:
    """It was signed in the present epoch: removing a person voids what that person signed and nobody has
    obeyed yet."""
    if draft.epoch != context.trust.epoch:
        raise BookbagError(
            "wrong-epoch",
            f"cannot obey order: it is of epoch {draft.epoch}, the site is at {context.trust.epoch}",
        )


def check_serial(draft: Draft, context: Context) -> None:
    """It is for this machine: keys copied to another do not take its orders along."""
    if draft.serial_sha256 != context.serial_sha256:
        raise BookbagError(
            "wrong-serial", "cannot obey order: it is for a machine with another serial number"
        )


def check_window(draft: Draft, context: Context) -> None:
    """Now is within its time. An order that holds its slot already is past asking."""
    order = draft.order
    life = floors.floor(draft.kind).life
    if (
        order.expires <= order.issued
        or order.not_before < order.issued
        or (life and order.expires - order.issued > life)
    ):
        raise BookbagError("bad-envelope", "cannot obey order: its times contradict each other or its kind")
    if is_held(draft, context):
        return
    if order.expires <= context.at:
        raise BookbagError("expired", "cannot obey order: it has expired")
    if order.not_before > context.at:  # and so issued: signed time of the word that brought it is not before
        raise BookbagError("not-allowed", "cannot obey order: its time has not come")


def check_clock(draft: Draft, context: Context) -> None:
    """Destructive orders need a clock that is not suspect."""
    if floors.floor(draft.kind).destructive and context.now.quality != "good":
        raise BookbagError("clock-suspect", f"cannot obey {draft.kind}: the clock may be wrong")


def check_recovering(draft: Draft, context: Context) -> None:
    """A laptop that lost its memory takes nothing from before it noticed, readmitted or not (it cannot know
    what it obeyed already); until it is readmitted, nothing destructive."""
    if draft.order.issued < context.marks.lost_at:
        raise BookbagError("recovering", "cannot obey order: issued before this laptop lost its trust ledger")
    if context.marks.recovering_since and floors.floor(draft.kind).destructive:
        raise BookbagError("recovering", f"cannot obey {draft.kind}: this laptop lost its trust ledger")


def check_unseen(draft: Draft, context: Context) -> None:
    """Its id is new, or it is the very order that holds its slot."""
    if not is_held(draft, context) and context.marks.note(f"seen.{draft.order.id}"):
        raise BookbagError("replayed", "cannot obey order: its id was seen before")


def check_sequence(draft: Draft, context: Context) -> None:
    """last < seq ≤ last + 1000 in its slot."""
    last = context.marks.get(f"seq.{draft.slot}")
    if is_held(draft, context):
        return
    if draft.order.seq <= last:
        raise BookbagError(
            "replayed", f"cannot obey order: sequence number {draft.order.seq} is not after {last}"
        )
    if draft.order.seq > last + MOST_JUMP:
        raise BookbagError(
            "seq-jump", f"cannot obey order: sequence number {draft.order.seq} is far beyond {last}"
        )


def check_args(draft: Draft, context: Context) -> None:
    """What it asks for is well-formed; `assign` vouches for exactly this laptop's keys."""
    if draft.kind == "assign":
        args = assign_args(draft.order)
        if (args.sign_key, args.seal_key) != context.identity.public:
            raise BookbagError(
                "wrong-device", "cannot obey assign: it vouches for other keys than this laptop's"
            )
    elif draft.kind == "readmit":
        readmit_marks(draft.order)


Step = Callable[[Draft, Context], None]
#: In this order, every one of them, before anything is remembered or done.
STEPS: tuple[Step, ...] = (
    check_signatures,
    check_kind,
    check_site,
    check_device,
    check_epoch,
    check_serial,
    check_window,
    check_clock,
    check_recovering,
    check_unseen,
    check_sequence,
    check_args,
)


def is_held(draft: Draft, context: Context) -> bool:
    """Whether exactly this order was accepted before and is still the newest of its slot: obeying it again
    changes nothing."""
    marks = context.marks
    return (
        marks.note(f"order.{draft.slot}") == draft.held and marks.get(f"seq.{draft.slot}") == draft.order.seq
    )


def remember(draft: Draft, context: Context) -> None:
    """Advance the ledger past an accepted order (in memory; the caller commits)."""
    marks, order = context.marks, draft.order
    marks.advance(f"seq.{draft.slot}", order.seq)
    marks.set_note(f"order.{draft.slot}", draft.held)
    marks.see(f"seen.{order.id}", order.expires, at=context.at, most=_MOST_SEEN)
    if draft.kind == "readmit" and marks.recovering_since:
        for name, value in readmit_marks(order).items():
            marks.advance(name, max(value, marks.get(name)))
        marks.readmitted()


def assign_args(order: Order) -> AssignArgs:
    """The arguments of `assign`. Raises ``bad-envelope``."""
    args = Fields(dict(order.args), "assign order", path="args", code="bad-envelope")
    return AssignArgs(
        school=args.name("school"),
        year=args.text("year", 32, ""),
        class_=args.text("class", 32, ""),
        sign_key=PublicKey(args.hex("sign_key", 32)),
        seal_key=SealPublicKey(args.hex("seal_key", 32)),
    )


def readmit_marks(order: Order) -> dict[str, int]:
    """The least versions that a readmitted laptop must hold to: the desk remembers what the laptop lost."""
    args = Fields(dict(order.args), "readmit order", path="args", code="bad-envelope")
    if not args.has("marks"):
        return {}
    marks = args.inside("marks")
    names = tuple(marks)
    for name in names:
        if name not in ("root", "targets", "epoch") and not name.startswith("seq."):
            raise BookbagError("bad-envelope", f"cannot obey readmit: it may not set mark {name[:40]!r}")
    return {name: marks.integer(name, 0, 1 << 31) for name in names}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
