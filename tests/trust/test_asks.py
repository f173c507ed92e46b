"""Requests of students: what root takes from a portal that may be anybody's, and what the desk believes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agent.core.errors import BookbagError
from agent.trust import asks, drafts, dsse, receipts
from agent.trust.asks import Request
from agent.trust.drafts import Draft
from agent.trust.identity import DeviceIdentity
from agent.trust.keys import SealKey

LAPTOP = DeviceIdentity.generate()
ID = "0a" * 16
DRAFT = Draft(ID, "1000", drafts.SITE, "", "casino.example", "for maths")
REQUEST = Request(ID, "north", LAPTOP.id, drafts.SITE, "", "casino.example", "for maths", 1_800_000_000)


def raw(**changes: object) -> bytes:
    value = json.loads(drafts.draft_bytes(DRAFT))
    return json.dumps({**value, **changes}).encode()


@pytest.mark.parametrize(
    "draft",
    [
        DRAFT,
        replace(DRAFT, words=""),
        replace(DRAFT, address="xn--mgbh0fb.xn--kgbechtv"),
        replace(DRAFT, kind=drafts.SETTING, about="screen-lock.after", address="", words="أقرأ ببطء"),
        replace(
            DRAFT, kind=drafts.SETTING, about="file:/etc/motd", address="", words="خواندن\u200c\u0647\u0627"
        ),
        replace(DRAFT, words="😀" * drafts.MOST_WORDS),
    ],
)
def test_what_the_portal_writes_is_read_as_it_was_meant(draft: Draft) -> None:
    assert drafts.parse_draft(drafts.draft_bytes(draft), ID) == draft


WRONG = {
    "another kind": raw(kind="wipe"),
    "no kind": raw(kind=None),
    "a list for words": raw(words=["x"]),
    "too many words": raw(words="x" * (drafts.MOST_WORDS + 1)),
    "a line end": raw(words="a\nb"),
    "an escape": raw(words="\x1b[2J"),
    "text that turns lines around": raw(words="\u202eabc"),
    "a NUL": raw(words="a\x00b"),
    "no site": raw(address=""),
    "a site with a scheme": raw(address="https://casino.example"),
    "a site with a space": raw(address="casino.example evil"),
    "the whole web": raw(address="*"),
    "a name without a dot": raw(address="localhost"),
    "capitals": raw(address="CASINO.example"),
    "a site that is not ASCII": raw(address="كازينو.example"),
    "a site with a line end": raw(address="casino.example\n"),
    "a site and a setting": raw(about="screen-lock.after"),
    "no setting": raw(kind=drafts.SETTING, address=""),
    "a setting and a site": raw(kind=drafts.SETTING, about="a.b"),
    "a long setting": raw(kind=drafts.SETTING, address="", about="x" * 201),
    "no user": raw(person=""),
    "a user by name": raw(person="lina"),
    "a user in other digits": raw(person="\u0661\u0660"),
    "a path for a user": raw(person="../1000"),
    "a number for a user": raw(person=1000),
    "no version": raw(v=None),
    "twice the same key": b'{"v":1,"v":1}',
    "a list": b"[]",
    "nothing": b"",
    "no UTF-8": b'{"v":1,"words":"\xff"}',
    "half a character": b'{"v":1,"words":"\\ud800"}',
    "very deep": b"[" * 1000,
    "very long": b" " * (drafts.MOST_DRAFT + 1),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG.keys())
def test_root_takes_nothing_else_from_the_portal(data: bytes) -> None:
    with pytest.raises(BookbagError) as refused:
        drafts.parse_draft(data, ID)
    assert refused.value.code in ("bad-envelope", "bad-json", "too-large")


def test_a_newer_portal_is_not_misread() -> None:
    assert drafts.parse_draft(raw(of_tomorrow=1), ID) == DRAFT
    with pytest.raises(BookbagError) as refused:
        drafts.parse_draft(raw(v=2), ID)
    assert refused.value.code == "format-too-new"


def test_the_portal_cannot_write_down_what_root_would_not_take() -> None:
    with pytest.raises(BookbagError) as refused:
        drafts.draft_bytes(replace(DRAFT, words="a\nb"))
    assert refused.value.code == "bad-argument"


def test_a_request_reaches_the_desk_whole_and_nobody_else() -> None:
    desk, mine = SealKey.generate(), LAPTOP.sign_key.public
    name = asks.return_name("north", LAPTOP.id, ID)
    sent = receipts.make_return(asks.sign(REQUEST, LAPTOP), name, LAPTOP, desk.public)
    assert asks.verify(receipts.open_return(sent, name, mine, desk), mine) == REQUEST
    assert b"casino" not in sent and len(sent) == 68 + 4096
    longest = replace(REQUEST, words="😀" * drafts.MOST_WORDS)
    long = receipts.make_return(asks.sign(longest, LAPTOP), name, LAPTOP, desk.public)
    assert len(long) == len(sent), "its size tells nothing either"
    with pytest.raises(BookbagError):
        receipts.open_return(sent, name, mine, SealKey.generate())


def test_the_desk_believes_no_other_signature_device_or_kind_of_envelope() -> None:
    mine, other = LAPTOP.sign_key.public, DeviceIdentity.generate()
    cases = {
        "bad-signature": asks.sign(REQUEST, other),
        "wrong-device": asks.sign(replace(REQUEST, device="0" * 32), LAPTOP),
        "bad-envelope": dsse.sign(REQUEST.to_bytes(), dsse.RECEIPT_TYPE, [LAPTOP.sign_key]),
    }
    for code, envelope in cases.items():
        with pytest.raises(BookbagError) as refused:
            asks.verify(envelope, mine)
        assert refused.value.code == code
    for wrong in (
        replace(REQUEST, words="\x1b]0;"),
        replace(REQUEST, address="a b"),
        replace(REQUEST, id="x"),
    ):
        with pytest.raises(BookbagError):
            asks.verify(asks.sign(wrong, LAPTOP), mine)


def test_a_request_names_the_laptop_and_no_person() -> None:
    told = json.loads(REQUEST.to_bytes())
    assert set(told) == {"v", "id", "site", "device", "kind", "about", "address", "words", "at"}
