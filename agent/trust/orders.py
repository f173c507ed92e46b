"""One order to one laptop, signed by persons and verified step by step.

`STEPS` is the order of DESIGN §4, each step one small function that raises; leaving any out must break a
test. Only the kinds in `HANDLED` are obeyed by this version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from agent.core import jsontext
from agent.core.clock import DAY, Now
from agent.core.errors import BookbagError
from agent.trust import dsse, floors, orderargs, sessionid
from agent.trust.commandlog import CommandLog
from agent.trust.fields import Fields
from agent.trust.identity import DeviceIdentity
from agent.trust.marks import Marks
from agent.trust.persons import TrustDocument
from agent.trust.view import Assignment, Order

VERSION = 1
#: What this version obeys, in the order in which a mailbox is gone through: who is let back in comes first,
#: and
#: where a lock and an unlock have one number, the lock.
HANDLED = (
    "readmit", "assign", "cancel", "message", "reply", "secrets", "arrange", "lock", "unlock", "session",
    "wipe",
)  # fmt: skip
#: As many of these are gone through before all others: what they say decides about those.
FIRST = 2
#: How far a number may run ahead of what it was before a mailbox was opened: bounds what a stolen key can
#: fast-forward with one publication. Of a session: how far it may be ahead of when it was signed.
MOST_JUMP = 1000
_MOST_TIME = 1 << 40
_MOST_GRACE = 14 * DAY
_MOST_SEEN = 256


@dataclass(frozen=True, slots=True)
class Context:
    """Who reads the mailbox, and what is trusted about it so far. ``at``: trusted unix seconds, newest
    signed time included. ``log``: the public log of orders, or why it does not count. ``lost_since``: since
    when this laptop is locked as lost; 0: it is not. ``assignment``: whose laptop it is, by all that was
    accepted so far."""

    identity: DeviceIdentity
    serial_sha256: str
    trust: TrustDocument
    marks: Marks
    at: int
    now: Now
    log: CommandLog | BookbagError = field(default_factory=CommandLog)
    lost_since: int = 0
    assignment: Assignment | None = None


@dataclass(slots=True)
class Draft:
    """An order on its way through the steps."""

    envelope: dsse.Envelope
    kind: str
    slot: str
    site: str
    device: str
    serial_sha256: str
    order: Order

    @property
    def epoch(self) -> int:
        """In which epoch of its site it was signed."""
        return self.order.epoch

    @property
    def held(self) -> str:
        """How the ledger remembers the order that holds its slot."""
        return f"{self.order.id}:{self.order.digest}"


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
        grace_s=top.integer("grace_s", 0, _MOST_GRACE, 0),
        epoch=top.integer("epoch", 1, 1 << 31),
    )
    return Draft(
        envelope=envelope,
        kind=kind,
        slot=top.name("slot") if top.has("slot") else floors.slot(kind),
        site=top.name("site"),
        device=top.id("device"),
        serial_sha256=top.hex("serial_sha256", 32).hex(),
        order=order,
    )


def check_signatures(draft: Draft, context: Context) -> None:
    """Enough different persons, entitled to this kind, signed. The floor is compiled in (I-4)."""
    persons = context.trust.signers(draft.kind, draft.envelope.named)
    signed = dsse.count(draft.envelope, persons, context.trust.needed(draft.kind))
    draft.order = replace(draft.order, persons=signed.persons)


def check_teacher(draft: Draft, context: Context) -> None:
    """What a teacher signed is for a laptop of a class of theirs, and over before their key is."""
    held = context.assignment
    place = (held.school, held.class_) if held else ("", "")
    counted = worth(draft.order, context.trust, *place, context.at)
    if counted != draft.order.persons and len(counted) < context.trust.needed(draft.kind):
        who = ", ".join(name for name in draft.order.persons if name not in counted)
        raise BookbagError(
            "not-allowed",
            f"cannot obey {draft.kind}: {who} signed it, whose class this is not, or whose key ends before",
        )
    draft.order = replace(draft.order, persons=counted)


def check_own_id(draft: Draft, context: Context) -> None:
    """A session has no other's id, or teachers could have refused as seen what two persons want."""
    if not has_own_id(draft):
        raise BookbagError("bad-envelope", "cannot obey session: its id does not follow from what it says")


def check_kind(draft: Draft, context: Context) -> None:
    """This version knows how to obey it."""
    if draft.kind not in HANDLED or draft.slot != floors.slot(draft.kind):
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
    # A dated lock or unlock is taken along now: on its day there may be no network.
    begins = order.issued if draft.slot == floors.HOLD else order.not_before
    if begins > context.at:  # signed time of the word that brought it is not before
        raise BookbagError("not-allowed", "cannot obey order: its time has not come")


def check_clock(draft: Draft, context: Context) -> None:
    """Destructive orders need a clock that is not suspect."""
    if floors.floor(draft.kind).destructive and context.now.quality != "good":
        raise BookbagError("clock-suspect", f"cannot obey {draft.kind}: the clock may be wrong")


def check_grace(draft: Draft, context: Context) -> None:
    """Whoever is entitled has time to call a destructive order off; of a laptop that was locked as lost a day
    ago, nobody is expected to."""
    if not floors.floor(draft.kind).destructive:
        return
    lost = context.lost_since and context.at - context.lost_since >= floors.LOST
    least = 0 if draft.kind == "wipe" and lost else floors.GRACE
    if draft.order.grace_s < least:
        raise BookbagError(
            "not-allowed",
            f"cannot obey {draft.kind}: its grace of {draft.order.grace_s} s is below {least} s",
        )


def check_log(draft: Draft, context: Context) -> None:
    """The public log names it, under its class."""
    logged = floors.floor(draft.kind).logged
    if not logged or is_held(draft, context):
        return
    if isinstance(context.log, BookbagError):
        raise BookbagError("not-logged", f"cannot obey {draft.kind}: {context.log.message}")
    entry = context.log.find(draft.order.digest)
    if entry is None or entry.class_ != logged:
        raise BookbagError(
            "not-logged", f"cannot obey {draft.kind}: the public log of orders does not name it"
        )


def check_brake(draft: Draft, context: Context) -> None:
    """Not more in a day than a fleet of this size may see: beyond, a lock needs two persons, and nothing is
    erased."""
    logged = floors.floor(draft.kind).logged
    if not logged or is_held(draft, context) or isinstance(context.log, BookbagError):
        return
    entry = context.log.find(draft.order.digest)
    most = floors.brake(logged, context.trust.fleet_size)
    if entry is None or context.log.rank(entry) <= most:
        return
    if logged == floors.HOLD and len(draft.order.persons) >= floors.BRAKED_PERSONS:
        return
    raise BookbagError(
        "brake",
        f"cannot obey {draft.kind}: more than {most} such orders were given at this site within a day",
    )


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
    """last < seq ≤ 1000 more than before this mailbox, in its slot. Sessions are numbered by many, at several
    places, by the time: nobody, with whatever key, can run ahead of everybody else's."""
    last, began = context.marks.get(f"seq.{draft.slot}"), context.marks.began(draft.slot)
    if is_held(draft, context) or _outweighs(draft, context):
        return
    if draft.order.seq == last and draft.slot == floors.ERASE:
        raise BookbagError(
            "conflict", f"cannot obey {draft.kind}: another order of the same number contradicts it"
        )
    if draft.order.seq <= last:
        raise BookbagError(
            "replayed", f"cannot obey order: sequence number {draft.order.seq} is not after {last}"
        )
    if draft.kind == floors.SESSION:
        began = draft.order.issued
    if draft.order.seq > began + MOST_JUMP:
        raise BookbagError(
            "seq-jump", f"cannot obey order: sequence number {draft.order.seq} is far beyond {began}"
        )


def check_args(draft: Draft, context: Context) -> None:
    """What it asks for is well-formed; `assign` vouches for exactly this laptop's keys."""
    orderargs.check(draft.order)
    if draft.kind == "assign":
        args = orderargs.assign_args(draft.order)
        if (args.sign_key, args.seal_key) != context.identity.public:
            raise BookbagError(
                "wrong-device", "cannot obey assign: it vouches for other keys than this laptop's"
            )


Step = Callable[[Draft, Context], None]
#: In this order, every one of them, before anything is remembered or done.
STEPS: tuple[Step, ...] = (
    check_signatures,
    check_kind,
    check_site,
    check_device,
    check_epoch,
    check_serial,
    check_teacher,
    check_own_id,
    check_window,
    check_clock,
    check_grace,
    check_recovering,
    check_unseen,
    check_sequence,
    check_args,
    check_log,
    check_brake,
)


def worth(order: Order, trust: TrustDocument, school: str, class_: str, at: int) -> tuple[str, ...]:
    """Who of its persons counts for an order to a laptop of that class: of teachers, those whose class it
    is and whose key holds until it ends."""
    strangers = {
        one.id
        for one in trust.teachers
        if not (one.teaches(school, class_) and one.holds(order.issued, order.expires, at))
    }
    return tuple(name for name in order.persons if name not in strangers)


def has_own_id(draft: Draft) -> bool:
    """Whether no other order can have its id, or it is of a kind whose signers may call off anyhow."""
    return draft.kind != floors.SESSION or sessionid.fits(draft.envelope.payload)


def is_held(draft: Draft, context: Context) -> bool:
    """Whether exactly this order was accepted before and is still the newest of its slot, or of a kind of
    which several wait side by side: obeying it again changes nothing."""
    marks = context.marks
    return was_taken(draft, context) or (
        marks.note(f"order.{draft.slot}") == draft.held and marks.get(f"seq.{draft.slot}") == draft.order.seq
    )


def was_taken(draft: Draft, context: Context) -> bool:
    """Whether exactly this order was accepted before, of a kind of which several wait side by side. It lies
    in the mailbox, and is told again, until it expires; whoever takes it down does so once."""
    taken = context.marks.seen(f"seen.{draft.order.id}")
    return floors.floor(draft.kind).queue and taken == draft.order.digest


def is_over(draft: Draft, context: Context) -> bool:
    """Whether it was taken, of a kind of which several wait side by side, and has expired since: there is
    nothing more to be said of it. That it was seen is forgotten by then; that it was the newest is not."""
    queue = floors.floor(draft.kind).queue
    return queue and draft.order.expires <= context.at and is_held(draft, context)


def _outweighs(draft: Draft, context: Context) -> bool:
    """A lock of the same number as the unlock that holds: two people decided at once, and locked is the safe
    side."""
    marks = context.marks
    return (
        draft.kind == "lock"
        and marks.get(f"seq.{draft.slot}") == draft.order.seq
        and marks.note(f"kind.{draft.slot}") == "unlock"
    )


def holder(draft: Draft, context: Context) -> str:
    """The id of the order that holds the slot of ``draft``."""
    return context.marks.note(f"order.{draft.slot}").partition(":")[0]


def remember(draft: Draft, context: Context) -> None:
    """Advance the ledger past an accepted order (in memory; the caller commits)."""
    if was_taken(draft, context):
        return  # the ledger is past it, and maybe past others that waited beside it
    marks, order = context.marks, draft.order
    marks.advance(f"seq.{draft.slot}", order.seq)
    marks.set_note(f"order.{draft.slot}", draft.held)
    marks.set_note(f"kind.{draft.slot}", draft.kind)
    marks.see(f"seen.{order.id}", order.expires, order.digest, at=context.at, most=_MOST_SEEN)
    if draft.kind == "readmit" and marks.recovering_since:
        for name, value in orderargs.readmit_marks(order).items():
            marks.advance(name, max(value, marks.get(name)))
        marks.count_from_here()  # two persons said so
        marks.readmitted()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
