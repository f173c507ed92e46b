"""Attacks on a laptop that lost its memory: the ledger is gone, garbled or restored from long ago."""

from __future__ import annotations

from collections.abc import Callable

from tests.trust.evil.attacks.orders import order_id
from tests.trust.evil.attacks.roles import policy
from tests.trust.evil.bench import Bench
from tests.trust.evil.desk import Files
from tests.trust.evil.table import attack

Took = Callable[[], bool]


def lost(how: str) -> Callable[[Bench, bool], Took]:
    """After the loss only what is signed after it counts."""

    def play(bench: Bench, evil: bool) -> Took:
        bench.settle()
        old = bench.north.refresh(bench.at)
        since = bench.at + 3600
        bench.laptop.lose_ledger(how)
        bench.refresh(old, at=since)
        assert bench.codes == {"recovering"}
        bench.north.renew(since, "targets")
        new = bench.north.publish(since)
        bench.refresh(old if evil else new, at=since)
        return bench.accepted

    play.__name__ = f"old_site_after_the_ledger_was_lost_by_{how}"
    return play


for _how in ("delete", "zero", "truncate", "nulls"):
    attack("recovering", step="check_recovering", beside=("recovering",))(lost(_how))


@attack("rollback", "recovering", step="compare_high_water", beside=("recovering",))
def old_trust_revived_in_recovery(bench: Bench, evil: bool) -> Took:
    """T1: fresh online signatures over targets from before a person was fired, who then signs a policy."""
    bench.settle()
    bench.north.fire("eve", bench.at)
    bench.settle(bench.north.publish(bench.at))
    since = bench.at + 3600
    bench.laptop.lose_ledger("zero")
    bench.refresh(at=since)
    bench.at = since + 60
    bench.north.renew(bench.at, "targets")
    forge = bench.forge(bench.north.publish(bench.at))
    forge.use("targets", 1 if evil else bench.north.versions()["targets"])
    files = forge.finish(at=bench.at)
    return policy(
        bench,
        ("eve" if evil else "ben",),
        role="year",
        base=files,
        edit=lambda f, it: it.update(signed_at=bench.at),
    )


@attack("recovering", "rollback", step="check_recovering", beside=("recovering",))
def old_trust_revived_when_everything_was_lost(bench: Bench, evil: bool) -> Took:
    """As above, and the generations are gone as well: there is nothing to compare with but the moment of the
    loss.
    """
    bench.settle()
    bench.north.fire("eve", bench.at)
    bench.settle(bench.north.publish(bench.at))
    since = bench.at + 3600
    bench.laptop.lose_ledger("delete")
    bench.laptop.lose_generations()
    bench.refresh(at=since)
    bench.at = since + 60
    bench.north.renew(bench.at, "targets")
    forge = bench.forge(bench.north.publish(bench.at))
    forge.use("targets", 1 if evil else bench.north.versions()["targets"])
    files = forge.finish(at=bench.at)
    return policy(
        bench,
        ("eve" if evil else "ben",),
        role="year",
        base=files,
        edit=lambda f, it: it.update(signed_at=bench.at),
    )


def readmitting(bench: Bench, *more: bytes, at: int, marks: dict[str, int] | None = None) -> Files:
    """The desk lets the laptop back in."""
    laptop = bench.laptop.identity
    args = {"marks": marks} if marks is not None else {}
    envelope = bench.north.order(laptop, at, kind="readmit", args=args)
    bench.north.file(laptop, envelope, *more)
    return bench.north.publish(at)


@attack("rollback", "recovering", step="check_readmitted", beside=("recovering",))
def rolled_back_targets_beside_the_readmit(bench: Bench, evil: bool) -> Took:
    """T2: the readmit itself says how new targets must be; it must count in the round that brings it."""
    bench.settle()
    since = bench.at + 3600
    bench.laptop.lose_ledger("delete")
    bench.laptop.lose_generations()
    bench.refresh(at=since)
    bench.at = since + 60
    for _ in range(2):  # both of them signed after the loss
        bench.north.renew(bench.at, "targets")
        bench.north.publish(bench.at)
    newest = bench.north.versions()["targets"]
    forge = bench.forge(readmitting(bench, at=bench.at, marks={"targets": newest}))
    forge.use("targets", newest - 1 if evil else newest)
    bench.refresh(forge.finish(at=bench.at))
    return bench.accepted


@attack("recovering", step="check_recovering", beside=("recovering",))
def order_from_before_the_loss(bench: Bench, evil: bool) -> Took:
    bench.settle()
    since = bench.at + 3600
    bench.laptop.lose_ledger("zero")
    bench.refresh(at=since)
    bench.north.renew(since, "targets")
    bench.north.publish(since)
    envelope = bench.order(at=since + (-60 if evil else 60))
    bench.at = since + 60
    bench.refresh(bench.mailed(envelope))
    return lambda: bench.obeyed(order_id(envelope))


@attack("recovering", "replayed", step="check_recovering", beside=("recovering",))
def order_obeyed_before_the_loss_again_after_the_readmit(bench: Bench, evil: bool) -> Took:
    """T3: the ledger no longer knows that this was done; the readmit must not make it new."""
    bench.settle()
    first, second = bench.order(), bench.order()
    bench.settle(bench.mailed(first))
    bench.north.file(bench.laptop.identity, second)
    bench.north.refresh(bench.at)
    bench.settle(bench.north.refresh(bench.at))
    since = bench.at + 3600
    bench.laptop.lose_ledger("delete")
    bench.laptop.lose_generations()
    bench.refresh(at=since)
    bench.at = since + 60
    bench.north.renew(bench.at, "targets")
    bench.north.publish(bench.at)
    envelope = first if evil else bench.order(seq=1)
    bench.refresh(readmitting(bench, envelope, at=bench.at))
    return lambda: bench.obeyed(order_id(envelope))


@attack("bad-metadata", "recovering", step="read_roles", beside=("recovering",))
def policy_dropped_while_recovering(bench: Bench, evil: bool) -> Took:
    """T5: last good stays in force although the ledger forgot that there was one."""
    bench.settle()
    since = bench.at + 3600
    bench.laptop.lose_ledger("zero")
    bench.refresh(at=since)
    bench.at = since + 60
    bench.north.renew(bench.at, "targets")
    if not evil:
        bench.north.policy(bench.at)
    forge = bench.forge(bench.north.publish(bench.at))
    if evil:
        forge.drop("policy-ict")
    bench.refresh(forge.finish(at=bench.at))
    return lambda: bench.accepted() and not bench.holds("policy/ict/home.yaml")


@attack("replayed", "recovering", step="check_recovering", beside=("recovering",))
def readmit_from_an_earlier_loss(bench: Bench, evil: bool) -> Took:
    """Once readmitted, the same readmit does not help after the next loss."""
    bench.settle()
    since = bench.at + 3600
    bench.laptop.lose_ledger("zero")
    bench.refresh(at=since)
    bench.north.renew(since, "targets")
    bench.at = since
    view = bench.settle(readmitting(bench, at=since))
    assert view.recovering_since == 0
    bench.laptop.lose_ledger("zero")
    bench.at = since + 3600
    bench.refresh()
    bench.north.renew(bench.at, "targets")
    bench.refresh(bench.north.publish(bench.at) if evil else readmitting(bench, at=bench.at))
    return lambda: bench.view is not None and bench.view.recovering_since == 0
