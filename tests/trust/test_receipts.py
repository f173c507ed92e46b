"""Receipts: signed by the laptop, chained, for the desk alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.trust import dsse, receipts, returned
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealKey
from agent.trust.receipts import GENESIS, Receipt

LAPTOP = DeviceIdentity.generate()
FIRST = Receipt(
    site="north",
    device=LAPTOP.id,
    n=1,
    prev=GENESIS,
    order="01" * 16,
    digest="02" * 32,
    kind="wipe",
    state="refused",
    final=False,
    at=1_800_000_000,
    quality="good",
    boot="b-1",
    code="under-signed",
    message="cannot accept envelope: it needs 2 different persons, ada signed",
    log_n=7,
    log_hash="03" * 32,
    evidence={"volumes": [{"name": "/dev/x", "slots": 0}]},
)


def chain(*states: str) -> list[Receipt]:
    made = [FIRST]
    for state in states:
        last = made[-1]
        made.append(replace(FIRST, n=last.n + 1, prev=last.hash, state=state))
    return made


def test_a_receipt_reaches_the_desk_whole() -> None:
    desk = SealKey.generate()
    mine = LAPTOP.sign_key.public
    name = receipts.return_name("north", LAPTOP.id, 1)
    sent = receipts.make_return(receipts.sign(FIRST, LAPTOP), name, LAPTOP, desk.public)
    assert receipts.verify(receipts.open_return(sent, name, mine, desk), mine) == FIRST
    with pytest.raises(BookbagError) as error:
        receipts.open_return(sent, name, mine, SealKey.generate())
    assert error.value.code == "bad-envelope"


def test_who_carries_a_return_can_tell_whose_it_is_and_under_which_name() -> None:
    desk, mine = SealKey.generate(), LAPTOP.sign_key.public
    name = receipts.return_name("north", LAPTOP.id, 1)
    sent = receipts.make_return(receipts.sign(FIRST, LAPTOP), name, LAPTOP, desk.public)
    box = returned.unwrap(sent, name, mine)
    stranger = DeviceIdentity.generate()
    for data, under, key, code in (
        (sent, receipts.return_name("north", LAPTOP.id, 2), mine, "bad-signature"),
        (sent, name, stranger.sign_key.public, "bad-signature"),
        (returned.wrap(box, name, stranger.sign_key), name, mine, "bad-signature"),
        (sent[:-1] + bytes([sent[-1] ^ 1]), name, mine, "bad-signature"),
        (box, name, mine, "bad-envelope"),
        (sent[:68], name, mine, "bad-envelope"),
        (returned.wrap(bytes(returned.MOST), name, LAPTOP.sign_key), name, mine, "bad-envelope"),
        (b"", name, mine, "bad-envelope"),
    ):
        with pytest.raises(BookbagError) as error:
            returned.unwrap(data, under, key)
        assert error.value.code == code


def test_the_longest_receipt_can_be_carried() -> None:
    longest = replace(FIRST, evidence={"x": "y" * (2 * 16_384 - len(FIRST.to_bytes()))})
    sent = receipts.make_return(receipts.sign(longest, LAPTOP), "x", LAPTOP, SealKey.generate().public)
    assert len(sent) <= returned.MOST
    assert returned.unwrap(sent, "x", LAPTOP.sign_key.public)


def test_nobody_else_can_write_one() -> None:
    stranger = DeviceIdentity.generate()
    for envelope, code in (
        (receipts.sign(FIRST, stranger), "bad-signature"),
        (receipts.sign(replace(FIRST, device=stranger.id), LAPTOP), "wrong-device"),
        (dsse.sign(FIRST.to_bytes(), dsse.ORDER_TYPE, [LAPTOP.sign_key]), "bad-envelope"),
        (receipts.sign(FIRST, LAPTOP).replace(b'"sig":"', b'"sig":"A', 1), "bad-envelope"),
        (b"", "bad-envelope"),
    ):
        with pytest.raises(BookbagError) as error:
            receipts.verify(envelope, LAPTOP.sign_key.public)
        assert error.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "certain"}, "bad-envelope"),
        ({"quality": "best"}, "bad-envelope"),
        ({"n": 0}, "bad-envelope"),
        ({"order": "x"}, "bad-envelope"),
        ({"evidence": {"x": "y" * 40_000}}, "too-large"),
    ],
)
def test_a_receipt_out_of_bounds_is_refused(changes: dict[str, object], code: str) -> None:
    with pytest.raises(BookbagError) as error:
        receipts.verify(receipts.sign(replace(FIRST, **changes), LAPTOP), LAPTOP.sign_key.public)  # type: ignore[arg-type]
    assert error.value.code == code


def test_a_chain_holds_and_every_way_to_break_it_is_named() -> None:
    whole = chain("armed", "started", "done")
    assert receipts.check_chain(whole) == ""
    assert receipts.check_chain([]) == ""
    for broken, word in (
        (whole[1:], "before it are missing"),
        ([whole[0], *whole[2:]], "receipt 2 is missing"),
        ([*whole[:2], whole[1], *whole[2:]], "twice"),
        ([whole[0], replace(whole[1], state="done"), *whole[2:]], "set back"),
    ):
        assert word in receipts.check_chain(broken)


def test_a_return_goes_by_a_name_that_says_nothing(tmp_path: Path) -> None:
    name = receipts.return_name("north", LAPTOP.id, 12)
    assert name.startswith("receipt-") and name.endswith("-12") and LAPTOP.id not in name
