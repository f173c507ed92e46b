"""Attacks on orders: nothing may be obeyed that persons did not mean for this laptop, now, once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from agent.core import jsontext
from agent.core.clock import Reading
from agent.trust import dsse, mailbox
from agent.trust.identity import serial_hash
from agent.trust.sealing import seal
from tests.trust.evil.bench import Bench
from tests.trust.evil.desk import DAY, START, identity, key, read_tree
from tests.trust.evil.table import attack

Took = Callable[[], bool]


def order_id(envelope: bytes) -> str:
    found = jsontext.parse(dsse.parse(envelope).payload, what="order")
    assert isinstance(found, dict)
    return str(found["id"])


def offered(bench: Bench, envelope: bytes, *before: bytes, **refresh: Any) -> Took:
    """File the order and let the laptop look."""
    bench.refresh(bench.mailed(*before, envelope), **refresh)
    return lambda: bench.obeyed(order_id(envelope))


# -- who signed


@attack("bad-signature", step="check_signatures")
def order_by_nobody(bench: Bench, evil: bool) -> Took:
    bench.settle()
    envelope = bench.order()
    if evil:
        value = jsontext.parse(envelope, what="")
        assert isinstance(value, dict)
        envelope = jsontext.canonical({**value, "signatures": []})
    return offered(bench, envelope)


@attack("bad-signature", step="check_signatures")
def order_by_a_stranger(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("stranger",) if evil else ("ann",)))


@attack("bad-signature", step="check_signatures")
def order_by_the_online_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("mail 0", "snapshot 0", "timestamp 0") if evil else ("ann",)))


@attack("bad-signature", step="check_signatures")
def order_by_a_person_not_entitled_to_its_kind(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("mal",) if evil else ("ben",)))


@attack("bad-signature", step="check_signatures")
def order_altered_after_signing(bench: Bench, evil: bool) -> Took:
    bench.settle()
    envelope = bench.order()
    if evil:
        value = jsontext.parse(envelope, what="")
        assert isinstance(value, dict)
        payload = base64.b64decode(value["payload"]).replace(b"class-1", b"class-2")
        envelope = jsontext.canonical({**value, "payload": base64.b64encode(payload).decode()})
    return offered(bench, envelope)


@attack("under-signed", step="check_signatures")
def readmit_by_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("mal",) if evil else ("mal", "ann"), kind="readmit"))


@attack("under-signed", step="check_signatures")
def readmit_by_two_keys_of_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("mal", "mal-2") if evil else ("mal", "ann"), kind="readmit"))


@attack("bad-signature", "bad-envelope", step="check_signatures")
def order_signed_as_something_else(bench: Bench, evil: bool) -> Took:
    """A signature that a person made over another kind of thing."""
    bench.settle()
    payload = dsse.parse(bench.order()).payload
    made = dsse.sign(payload, dsse.ENROL_TYPE if evil else dsse.ORDER_TYPE, [key("ann")])
    if evil:
        value = jsontext.parse(made, what="")
        assert isinstance(value, dict)
        made = jsontext.canonical({**value, "payloadType": dsse.ORDER_TYPE})
    return offered(bench, made)


# -- what it says


@attack("not-supported", step="check_kind")
def order_of_a_kind_not_known_here(bench: Bench, evil: bool) -> Took:
    bench.settle()
    changes: dict[str, Any] = {"kind": "explode", "slot": "explode"} if evil else {}
    return offered(bench, bench.order(("ann", "ben"), **changes))


@attack("not-supported", step="check_kind")
def order_in_another_kinds_slot(bench: Bench, evil: bool) -> Took:
    """Its number would be counted where it does not belong."""
    bench.settle()
    return offered(bench, bench.order(slot="readmit" if evil else "assign"))


@attack("wrong-site", step="check_site")
def order_of_a_site_that_shares_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(site="south" if evil else "north"))


@attack("wrong-device", step="check_device")
def order_for_another_device(bench: Bench, evil: bool) -> Took:
    """Taken out of its own mailbox and sealed into this one; the desk slipped and vouched for these keys."""
    bench.settle()
    return offered(bench, bench.order(device=(identity("b") if evil else identity("a")).id))


@attack("wrong-epoch", step="check_epoch")
def order_of_a_former_epoch(bench: Bench, evil: bool) -> Took:
    old = bench.order()
    bench.north.fire("eve", bench.at)
    bench.settle(bench.north.publish(bench.at))
    return offered(bench, old if evil else bench.order())


@attack("wrong-serial", step="check_serial")
def order_for_another_machine(bench: Bench, evil: bool) -> Took:
    bench.settle()
    serial = serial_hash("north", "other") if evil else bench.laptop.serial
    return offered(bench, bench.order(serial_sha256=serial))


@attack("expired", step="check_window")
def order_after_its_time(bench: Bench, evil: bool) -> Took:
    bench.settle()
    issued = bench.at - 8 * DAY
    return offered(bench, bench.order(at=issued, expires=bench.at + (0 if evil else 100)))


@attack("not-allowed", step="check_window")
def order_before_its_time(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(not_before=bench.at + (3600 if evil else 0)))


@attack("not-allowed", step="check_window")
def order_issued_far_in_the_future(bench: Bench, evil: bool) -> Took:
    bench.settle()
    issued = bench.at + (30 * DAY if evil else 0)
    return offered(bench, bench.order(at=issued))


@attack("bad-envelope", step="check_window")
def order_that_expires_before_it_was_issued(bench: Bench, evil: bool) -> Took:
    bench.settle()
    issued = bench.at + (3600 if evil else -3600)
    return offered(bench, bench.order(issued=issued, not_before=issued, expires=bench.at + 100))


@attack("clock-suspect", step="check_clock")
def destructive_order_with_a_suspect_clock(bench: Bench, evil: bool) -> Took:
    bench.settle()
    wall = bench.at + (40 * DAY if evil else 60)
    reading = Reading(wall, bench.at - START, "boot", False)
    return offered(bench, bench.order(("ann", "ben"), kind="wipe"), reading=reading)


@attack("wrong-device", step="check_args")
def assign_that_vouches_for_other_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    sign_key, seal_key = identity("b" if evil else "a").public
    args = {"school": "high", "year": "9", "class": "b", "sign_key": sign_key.hex, "seal_key": seal_key.hex}
    return offered(bench, bench.order(args=args))


# -- once, in order


@attack("replayed", step="check_sequence")
def older_order_never_seen(bench: Bench, evil: bool) -> Took:
    """The mirror kept it back until a newer one was obeyed."""
    bench.settle()
    old, new = bench.order(), bench.order()
    bench.settle(bench.mailed(new))
    return _later(bench, evil, old)


def _later(bench: Bench, evil: bool, old: bytes) -> Took:
    envelope = old if evil else bench.order()
    forge_on = bench.forge(_latest(bench))
    plain = mailbox.make_mailbox((envelope,))
    forge_on.file_mail(bench.laptop.mailbox, seal(plain, bench.laptop.identity.seal_key.public))
    bench.refresh(forge_on.finish(at=bench.at))
    return lambda: bench.obeyed(order_id(envelope))


def _latest(bench: Bench) -> dict[str, bytes]:
    """What the mirror serves now."""
    return read_tree(bench.laptop.mirror)


@attack("replayed", step="check_sequence")
def order_replayed_after_a_newer(bench: Bench, evil: bool) -> Took:
    bench.settle()
    first, second = bench.order(), bench.order()
    bench.settle(bench.mailed(first))
    bench.settle(bench.mailed(second, base=_latest(bench)))
    return _later(bench, evil, first)


@attack("replayed", step="commit_orders")
def order_replayed_after_a_newer_and_the_loss_of_generations(bench: Bench, evil: bool) -> Took:
    """Only the ledger remembers."""
    bench.settle()
    first, second = bench.order(), bench.order()
    bench.settle(bench.mailed(first))
    bench.settle(bench.mailed(second, base=_latest(bench)))
    bench.laptop.lose_generations()
    return _later(bench, evil, first)


@attack("seq-jump", step="check_sequence")
def order_that_runs_the_numbers_up(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(seq=1001 if evil else 1000))


@attack("replayed", step="check_unseen")
def one_id_used_for_two_orders(bench: Bench, evil: bool) -> Took:
    bench.settle()
    first = bench.order()
    bench.settle(bench.mailed(first))
    changes: dict[str, Any] = {"id": order_id(first)} if evil else {}
    second = bench.order(**changes)
    files = _latest(bench)
    bench.refresh(bench.mailed(second, base=files))
    return lambda: bench.view is not None and any(one.digest == _digest(second) for one in bench.view.orders)


def _digest(envelope: bytes) -> str:
    return hashlib.sha256(dsse.parse(envelope).payload).hexdigest()


# -- mailboxes


@attack("bad-envelope", step="")
def mailbox_of_another_laptop(bench: Bench, evil: bool) -> Took:
    """The very bytes that were sealed to somebody else."""
    bench.settle()
    envelope = bench.order()
    bench.refresh(bench.mailed(envelope, to=identity("b") if evil else None))
    return lambda: bench.obeyed(order_id(envelope))


@attack("bad-envelope", step="")
def mailbox_sealed_for_another_purpose(bench: Bench, evil: bool) -> Took:
    bench.settle()
    envelope = bench.order()
    forge = bench.forge()
    box = seal(
        mailbox.make_mailbox((envelope,)),
        bench.laptop.identity.seal_key.public,
        purpose="return" if evil else "mail",
    )
    forge.file_mail(bench.laptop.mailbox, box)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.obeyed(order_id(envelope))


@attack("rollback", step="read_mail")
def older_bin_in_a_new_snapshot(bench: Bench, evil: bool) -> Took:
    """A mailbox that was taken away comes back."""
    bench.settle()
    envelope = bench.order()
    bench.north.file(bench.laptop.identity, envelope)
    with_mail = bench.north.publish(bench.at)
    role = bench.forge(with_mail).bin_of(bench.laptop.mailbox)
    filed = bench.north.versions()[role]
    bench.north.file(bench.laptop.identity)
    bench.settle(bench.north.publish(bench.at))
    if evil:
        forge = bench.forge()
        forge.use(role, filed)
        bench.refresh(forge.finish(at=bench.at))
    else:
        bench.north.file(bench.laptop.identity, envelope)
        bench.refresh(bench.north.publish(bench.at))
    return lambda: bench.obeyed(order_id(envelope))


@attack("wrong-site", step="read_mail")
def bin_of_a_site_that_shares_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    envelope = bench.order()
    forge = bench.forge()
    box = seal(mailbox.make_mailbox((envelope,)), bench.laptop.identity.seal_key.public)
    forge.file_mail(bench.laptop.mailbox, box)
    role = forge.bin_of(bench.laptop.mailbox)
    signed = forge.role(role)
    signed.update(site="south" if evil else "north", version=signed["version"] + 1)
    forge.put_online(role, signed)
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.obeyed(order_id(envelope))
