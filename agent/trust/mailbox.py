"""A laptop's mailbox: a sealed box with signed orders in it, opened and judged one by one.

What is wrong with one order costs that order; what is wrong with the box costs the box. An order that IT's
own folder must not show lies in it as a sealed box of its own.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust import dsse, orderargs, orders
from agent.trust.fields import Fields
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealPublicKey
from agent.trust.sealing import MAGIC, ORDER_BLOCK, seal, unseal
from agent.trust.view import Order, Refusal

VERSION = 1
SEALED_ORDER = "order"  #: purpose of the box that holds one
_ROOM = -(-ORDER_BLOCK // 3) * 4 + len(',""')  #: what a sealed order takes in one
MOST_ORDERS = 32  #: in one mailbox
#: Bytes of one: what a laptop mostly has at once, secrets and a lock among it, takes no more.
LEAST = 16 << 10


@dataclass(frozen=True, slots=True)
class Read:
    """What a mailbox came to: the orders that hold, why the others do not, and the ids of destructive ones
    that contradict each other."""

    orders: tuple[Order, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    contested: tuple[str, ...] = ()


def read_mailbox(sealed: bytes, context: orders.Context) -> Read:
    """The orders in a sealed mailbox that hold, lowest sequence number first, and why the others do not. One
    that was accepted before is among them as long as it lies there and holds: nobody knows here whether it
    was taken down since.

    Advances the marks of accepted orders in memory: the caller commits them before acting. Raises
    ``bad-envelope`` if the mailbox itself does not open.
    """
    context.marks.count_from_here()
    drafts: list[orders.Draft] = []
    refusals: list[Refusal] = []
    for number, envelope in enumerate(open_mailbox(sealed, context.identity)):
        try:
            drafts.append(orders.parse_order(_opened(envelope, context.identity)))
        except BookbagError as error:
            refusals.append(Refusal(f"order {number + 1}", error.code, error.message))
    accepted: list[Order] = []
    contested: set[str] = set()
    for draft in sorted(drafts, key=_turn):
        same = any((one.id, one.digest) == (draft.order.id, draft.order.digest) for one in accepted)
        if same or orders.is_over(draft, context):
            continue
        try:
            for step in orders.STEPS:
                step(draft, context)
        except BookbagError as error:
            refusals.append(_refusal(draft, context, error))
            if error.code == "conflict":
                contested |= {draft.order.id, orders.holder(draft, context)}
            continue
        orders.remember(draft, context)
        accepted.append(draft.order)
        context = _knowing(context, draft.order)
    for order in accepted:
        if order.id in contested:
            refusals.append(_contested(order))
    held = tuple(order for order in accepted if order.id not in contested)
    return Read(held, tuple(refusals), tuple(sorted(contested)))


def _knowing(context: orders.Context, order: Order) -> orders.Context:
    """What is known once ``order`` was accepted: whose laptop it is decides about those that follow."""
    if order.kind != "assign":
        return context
    return replace(context, assignment=orderargs.newer(context.assignment, order))


def _turn(draft: orders.Draft) -> tuple[int, int, int, str]:
    """A mailbox is gone through by number, once it is known who the laptop is; what cannot be obeyed anyhow
    comes last."""
    kind = orders.HANDLED.index(draft.kind) if draft.kind in orders.HANDLED else len(orders.HANDLED)
    return min(kind, orders.FIRST), draft.order.seq, kind, draft.order.digest


def _refusal(draft: orders.Draft, context: orders.Context, error: BookbagError) -> Refusal:
    """Of an order to this very laptop it is remembered which one: it deserves a receipt. One that has
    another's id would have that other's."""
    subject = f"{draft.kind} {draft.order.id}"
    mine = (draft.site, draft.device) == (context.trust.site, context.identity.id)
    if not (mine and orders.has_own_id(draft)):
        return Refusal(subject, error.code, error.message)
    return Refusal(
        subject, error.code, error.message, order=draft.order.id, kind=draft.kind, digest=draft.order.digest
    )


def _contested(order: Order) -> Refusal:
    return Refusal(
        f"{order.kind} {order.id}",
        "conflict",
        f"cannot obey {order.kind}: another order of the same number contradicts it",
        order=order.id,
        kind=order.kind,
        digest=order.digest,
    )


def open_mailbox(sealed: bytes, identity: DeviceIdentity) -> tuple[bytes, ...]:
    """The envelopes in a mailbox. Raises ``bad-envelope``."""
    plain = unseal(sealed, identity.seal_key, purpose="mail")
    top = Fields(jsontext.parse(plain, what="mailbox"), "mailbox", code="bad-envelope")
    top.version(VERSION)
    return tuple(
        dsse.decode_base64(text) for text in top.texts("envelopes", MOST_ORDERS, dsse.MOST_BYTES * 2)
    )


def _opened(envelope: bytes, identity: DeviceIdentity) -> bytes:
    """The envelope itself, if it lies in a box of its own."""
    if not envelope.startswith(MAGIC):
        return envelope
    return unseal(envelope, identity.seal_key, purpose=SEALED_ORDER, block=ORDER_BLOCK)


def seal_order(envelope: bytes, to: SealPublicKey) -> bytes:
    """An order as it may lie where not everybody may read it: all of them are of one size. Raises
    ``too-large``."""
    box = seal(envelope, to, purpose=SEALED_ORDER, block=ORDER_BLOCK)
    if len(box) > ORDER_BLOCK:
        raise BookbagError("too-large", f"cannot seal an order of {len(envelope)} bytes by itself")
    return box


def seal_mailbox(envelopes: tuple[bytes, ...] | list[bytes], to: SealPublicKey) -> bytes:
    """A mailbox as the host has it: of one size with a sealed order in it or without, and with or without
    secrets, so that no kind of order is known by it (I-6)."""
    room = 0 if any(one.startswith(MAGIC) for one in envelopes) else _ROOM
    return seal(make_mailbox(envelopes), to, purpose="mail", room=room, least=LEAST)


def make_mailbox(envelopes: tuple[bytes, ...] | list[bytes]) -> bytes:
    """The plaintext of a mailbox holding ``envelopes``."""
    return jsontext.canonical(
        {"v": VERSION, "envelopes": [base64.b64encode(one).decode() for one in envelopes]}
    )
