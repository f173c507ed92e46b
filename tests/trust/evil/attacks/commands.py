"""Attacks on what locks and erases: by too few, unseen, too many at once, too soon, and with a log that is
not the one that everybody reads."""

from __future__ import annotations

import hashlib
from typing import Any

from agent.trust import dsse, floors
from agent.trust.commandlog import CommandLog
from tests.trust.evil.attacks.orders import Took, offered, order_id
from tests.trust.evil.bench import Bench
from tests.trust.evil.desk import DAY, identity
from tests.trust.evil.table import attack

TWO = ("ann", "ben")


def digest(envelope: bytes) -> str:
    return hashlib.sha256(dsse.parse(envelope).payload).hexdigest()


def others(log: CommandLog, class_: str, count: int, at: int) -> CommandLog:
    """The log with orders to other laptops in it."""
    for number in range(count):
        log = log.extended(hashlib.sha256(f"{class_} {number}".encode()).hexdigest(), class_, at)
    return log


# -- by whom


@attack("under-signed", step="check_signatures")
def wipe_by_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("ann",) if evil else TWO, kind="wipe"))


@attack("under-signed", step="check_signatures")
def wipe_by_two_keys_of_one_person(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("mal", "mal-2") if evil else ("mal", "ann"), kind="wipe"))


@attack("bad-signature", step="check_signatures")
def lock_by_the_online_keys(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("mail 0", "timestamp 0") if evil else ("ann",), kind="lock"))


@attack("bad-signature", step="check_signatures")
def unlock_by_whoever_holds_the_host(bench: Bench, evil: bool) -> Took:
    """A thief who also owns the host wants the laptop open."""
    bench.settle()
    bench.settle(bench.mailed(bench.order(("ann",), kind="lock")))
    return offered(bench, bench.order(("mail 0", "snapshot 0") if evil else ("ben",), kind="unlock"))


@attack("wrong-device", step="check_device")
def wipe_meant_for_another_laptop(bench: Bench, evil: bool) -> Took:
    """Two persons decided it, for somebody else's."""
    bench.settle()
    device = identity("b" if evil else "a").id
    return offered(bench, bench.order(TWO, kind="wipe", device=device))


@attack("not-supported", step="check_kind")
def unlock_numbered_in_a_slot_of_its_own(bench: Bench, evil: bool) -> Took:
    """It would not have to be newer than the lock."""
    bench.settle()
    bench.settle(bench.mailed(bench.order(("ann",), kind="lock")))
    changes: dict[str, Any] = {"slot": "unlock", "seq": 1} if evil else {"slot": "hold"}
    return offered(bench, bench.order(("ann",), kind="unlock", **changes))


# -- in which order


@attack("replayed", step="check_sequence")
def unlock_of_last_month_after_a_new_lock(bench: Bench, evil: bool) -> Took:
    bench.settle()
    old = bench.order(("ann",), kind="unlock")
    bench.settle(bench.mailed(bench.order(("ann",), kind="lock")))
    return offered(bench, old if evil else bench.order(("ann",), kind="unlock"))


@attack("replayed", step="check_sequence")
def unlock_of_the_same_number_as_the_lock(bench: Bench, evil: bool) -> Took:
    """Two people decided at once: locked is the safe side."""
    bench.settle()
    bench.settle(bench.mailed(bench.order(("ann",), kind="lock", seq=5)))
    return offered(bench, bench.order(("ben",), kind="unlock", seq=5 if evil else 6))


@attack("seq-jump", step="check_sequence")
def orders_of_one_mailbox_that_push_each_other_on(bench: Bench, evil: bool) -> Took:
    """So that nobody's next order is ever after them."""
    bench.settle()
    first = bench.order(("ann",), kind="lock", seq=900)
    second = bench.order(("ann",), kind="lock", seq=1800 if evil else 950)
    bench.refresh(bench.mailed(first, second))
    return lambda: bench.obeyed(order_id(second))


@attack("conflict", step="check_sequence")
def two_wipes_of_one_number(bench: Bench, evil: bool) -> Took:
    bench.settle()
    first = bench.order(TWO, kind="wipe", seq=3)
    second = bench.order(TWO, kind="wipe", seq=3 if evil else 4)
    bench.refresh(bench.mailed(first, second))
    return lambda: bench.obeyed(order_id(first)) or bench.obeyed(order_id(second))


@attack("conflict", step="check_sequence")
def a_second_wipe_of_the_number_of_an_armed_one(bench: Bench, evil: bool) -> Took:
    bench.settle()
    bench.settle(bench.mailed(bench.order(TWO, kind="wipe", seq=3)))
    return offered(bench, bench.order(TWO, kind="wipe", seq=3 if evil else 4))


# -- with time to call it off


@attack("not-allowed", step="check_grace")
def wipe_without_grace(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(TWO, kind="wipe", grace_s=floors.GRACE - (1 if evil else 0)))


@attack("not-allowed", step="check_grace")
def wipe_without_grace_of_a_laptop_lost_since_an_hour(bench: Bench, evil: bool) -> Took:
    bench.settle()
    bench.laptop.lost_since = bench.at - (3600 if evil else DAY)
    return offered(bench, bench.order(TWO, kind="wipe", grace_s=0))


# -- for everybody to see


@attack("not-logged", step="check_log")
def wipe_that_no_log_names(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(TWO, kind="wipe", logged=not evil))


@attack("not-logged", step="check_log")
def lock_that_no_log_names(bench: Bench, evil: bool) -> Took:
    bench.settle()
    return offered(bench, bench.order(("ann",), kind="lock", logged=not evil))


@attack("not-logged", step="check_log")
def wipe_logged_as_a_lock(bench: Bench, evil: bool) -> Took:
    """Locks are counted up to a higher number."""
    bench.settle()
    envelope = bench.order(TWO, kind="wipe", logged=False)
    log = bench.north.log.extended(digest(envelope), floors.HOLD if evil else floors.ERASE, bench.at)
    bench.refresh(bench.mailed(envelope, log=log))
    return lambda: bench.obeyed(order_id(envelope))


@attack("not-logged", step="read_log")
def wipe_named_by_a_log_with_another_past(bench: Bench, evil: bool) -> Took:
    """A log for this laptop alone, with fewer orders in it than everybody saw yesterday."""
    bench.settle()
    bench.north.log = others(bench.north.log, floors.ERASE, 2, bench.at)
    bench.settle(bench.mailed())
    envelope = bench.order(TWO, kind="wipe", logged=False)
    log = CommandLog() if evil else bench.north.log
    log = others(log, floors.HOLD, 1, bench.at) if evil else log
    bench.refresh(bench.mailed(envelope, log=log.extended(digest(envelope), floors.ERASE, bench.at)))
    return lambda: bench.obeyed(order_id(envelope))


@attack("not-logged", step="read_log")
def wipe_named_by_a_log_that_was_written_back(bench: Bench, evil: bool) -> Took:
    """Said to have been published last week, where it would not count against today's."""
    bench.settle()
    bench.settle(bench.mailed())
    envelope = bench.order(TWO, kind="wipe", logged=False)
    day = bench.at - (5 * DAY if evil else 0)
    log = bench.north.log.extended(digest(envelope), floors.ERASE, day)
    bench.refresh(bench.mailed(envelope, log=log))
    return lambda: bench.obeyed(order_id(envelope))


@attack("not-logged", step="read_log")
def wipe_named_by_a_log_of_the_day_after_tomorrow(bench: Bench, evil: bool) -> Took:
    bench.settle()
    envelope = bench.order(TWO, kind="wipe", logged=False)
    log = bench.north.log.extended(digest(envelope), floors.ERASE, bench.at + (2 * DAY if evil else 0))
    bench.refresh(bench.mailed(envelope, log=log))
    return lambda: bench.obeyed(order_id(envelope))


# -- not too many


@attack("brake", step="check_brake")
def one_wipe_more_than_a_day_may_see(bench: Bench, evil: bool) -> Took:
    """Whoever holds two persons' keys and the host erases the whole school: 2 % of 300 laptops a day."""
    bench.settle()
    bench.north.log = others(bench.north.log, floors.ERASE, 6 if evil else 5, bench.at)
    return offered(bench, bench.order(TWO, kind="wipe"))


@attack("brake", step="check_brake")
def a_wipe_too_many_spread_over_midnight(bench: Bench, evil: bool) -> Took:
    bench.settle()
    days = 1 if evil else 2
    bench.north.log = others(bench.north.log, floors.ERASE, 6, bench.at - days * DAY)
    return offered(bench, bench.order(TWO, kind="wipe"))


@attack("brake", step="check_brake")
def an_eleventh_lock_by_one_person(bench: Bench, evil: bool) -> Took:
    """One stolen key locks the whole school out."""
    bench.settle()
    bench.north.log = others(bench.north.log, floors.HOLD, 10, bench.at)
    return offered(bench, bench.order(("mal",) if evil else ("mal", "ann"), kind="lock"))
