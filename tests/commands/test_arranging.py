"""What the school arranges for one laptop: taken once, kept, replaced, ended, and told of by its outcome
alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.commands.arranged import Arranged
from agent.core.errors import BookbagError
from agent.trust import mailbox, orderargs, orders
from agent.trust.sealing import ORDER_BLOCK, seal, unseal
from tests.commands.laptop import CommandLaptop
from tests.trust.school import DAY, START

LARGER = {"accessibility.text-size": "larger", "accessibility.magnifier": "3x"}
SECRETS = ("accessibility", "magnifier", "text-size", "larger", "3x")


def arrange(laptop: CommandLaptop, settings: object, *people: str, **more: object) -> bytes:
    return laptop.order("arrange", *people, args={"settings": settings}, **more)


def kept(laptop: CommandLaptop) -> Arranged:
    return laptop.parts().arranged.read()


def test_what_is_arranged_is_kept_by_root_alone_and_the_receipt_tells_its_outcome_only(
    laptop: CommandLaptop,
) -> None:
    order = arrange(laptop, LARGER, expires=START + 90 * DAY)
    for _ in range(3):
        laptop.obey(mailbox.seal_order(order, laptop.trust.identity.seal_key.public))
    found = kept(laptop)
    assert (dict(found.settings), found.roles, found.until) == (LARGER, ("ict",), START + 90 * DAY)
    assert found.holds(laptop.trust.identity.id, START + 90 * DAY - 1)
    assert not found.holds(laptop.trust.identity.id, START + 90 * DAY)
    assert not found.holds("0" * 32, START), "of a former life of this laptop"
    for name in ("arranged.json", "arranged.json.2"):
        assert (laptop.state / name).stat().st_mode & 0o777 == 0o600
    (receipt,) = laptop.receipts()
    assert (receipt.kind, receipt.state, receipt.message, dict(receipt.evidence)) == (
        "arrange",
        "done",
        "",
        {},
    )
    ledger = json.dumps([[dict(one.detail), one.subject] for one in laptop.parts().ledger.entries(newest=50)])
    assert not [secret for secret in SECRETS if secret in ledger]
    assert all(secret in json.dumps(dict(found.settings)) for secret in SECRETS), "the control"


def test_a_newer_order_takes_its_place_and_an_older_one_never_does(laptop: CommandLaptop) -> None:
    first, second = arrange(laptop, LARGER), arrange(laptop, {"accessibility.sticky-keys": "on"})
    laptop.obey(second)
    laptop.obey(first)
    assert dict(kept(laptop).settings) == {"accessibility.sticky-keys": "on"}
    laptop.obey(arrange(laptop, {}))
    assert not kept(laptop).settings, "an order without settings ends it"
    laptop.obey(second, first)
    assert not kept(laptop).settings


def test_it_outlives_its_mail_and_one_damaged_copy(laptop: CommandLaptop) -> None:
    laptop.obey(arrange(laptop, LARGER, expires=START + 90 * DAY))
    laptop.obey()
    (laptop.state / "arranged.json").write_bytes(b"")
    laptop.run(laptop.view)
    assert dict(kept(laptop).settings) == LARGER
    (laptop.state / "arranged.json.2").write_bytes(b"")
    with pytest.raises(BookbagError, match="either copy"):
        kept(laptop)
    laptop.obey(arrange(laptop, {"accessibility.sticky-keys": "on"}))
    assert dict(kept(laptop).settings) == {"accessibility.sticky-keys": "on"}, "a newer one mends it"


def test_what_is_over_is_forgotten_and_is_not_taken(laptop: CommandLaptop) -> None:
    laptop.obey(arrange(laptop, LARGER, expires=START + 9 * DAY))
    late = arrange(laptop, {"accessibility.sticky-keys": "on"}, expires=START + 9 * DAY)
    laptop.later(9 * DAY)
    laptop.obey(late)
    assert not kept(laptop).settings and not kept(laptop).roles
    assert [state for _, state, _ in laptop.told()] == ["done", "refused"]


def test_cut_off_between_its_copies_it_is_written_again_so_that_no_copy_has_what_was_before(
    laptop: CommandLaptop,
) -> None:
    laptop.obey(arrange(laptop, LARGER))
    second = laptop.state / "arranged.json.2"
    before = second.read_bytes()
    laptop.obey(arrange(laptop, {}))
    ended, arrangements = kept(laptop), laptop.parts().arranged
    second.write_bytes(before)  # as a kill between the copies leaves it; the order is carried out once more
    arrangements.keep(ended)
    (laptop.state / "arranged.json").write_bytes(b"")
    assert not kept(laptop).settings, "what was ended stays ended on one copy too"
    with pytest.raises(BookbagError, match="newer order"):
        arrangements.keep(replace(ended, seq=ended.seq - 1, settings=LARGER))
    assert not kept(laptop).settings
    arrangements.forget()
    assert kept(laptop) == Arranged() and not list(laptop.state.glob("arranged*"))


def test_one_that_is_over_when_it_is_carried_out_still_ends_what_was_before(laptop: CommandLaptop) -> None:
    laptop.obey(arrange(laptop, LARGER, expires=START + 90 * DAY))
    laptop.school.mail(
        laptop.trust, arrange(laptop, {"accessibility.sticky-keys": "on"}, expires=START + DAY)
    )
    laptop.school.publish()
    view = laptop.trust.verify(laptop.school.mirror, laptop.at)
    laptop.later(2 * DAY)  # it was switched off just then
    laptop.run(view)
    assert not kept(laptop).settings
    assert laptop.told() == [("arrange", "done", ""), ("arrange", "refused", "expired")]


def test_it_ends_when_it_says_and_arrives_as_long_as_the_order_lives(laptop: CommandLaptop) -> None:
    laptop.obey(arrange(laptop, LARGER, expires=START + 90 * DAY))
    args = {"settings": {"accessibility.sticky-keys": "on"}, "until": START + 9 * DAY, "salt": "0" * 32}
    shorter = laptop.order("arrange", args=args, expires=START + 90 * DAY)
    laptop.later(8 * DAY)
    laptop.obey(shorter)
    assert (dict(kept(laptop).settings), kept(laptop).until) == (args["settings"], START + 9 * DAY)
    laptop.later(DAY)
    laptop.obey(shorter)
    assert not kept(laptop).settings, "not what was arranged for longer before"
    for until in (-1, True, "9", 1 << 41):
        draft = orders.parse_order(laptop.order("arrange", args={"settings": {}, "until": until}))
        with pytest.raises(BookbagError):
            orderargs.check(draft.order)


def test_a_laptop_that_hears_of_it_too_late_has_nothing_of_before(laptop: CommandLaptop) -> None:
    laptop.obey(arrange(laptop, LARGER, expires=START + 90 * DAY))
    args = {"settings": {"accessibility.sticky-keys": "on"}, "until": START + 9 * DAY}
    shorter = laptop.order("arrange", args=args, expires=START + 90 * DAY)
    laptop.later(30 * DAY)
    laptop.obey(shorter)
    assert not kept(laptop).settings


def test_two_persons_speak_for_what_two_decided_and_one_does_not(laptop: CommandLaptop) -> None:
    laptop.obey(arrange(laptop, LARGER, "ada", "bo"))
    assert kept(laptop).roles == ("ict", "library", "media", "power/ict")
    laptop.obey(arrange(laptop, LARGER, "bo"))
    assert kept(laptop).roles == ("ict", "library", "media")


NOT_ARRANGED: tuple[dict[str, object], ...] = (
    {"browser.homepage": "https://secret.example/"},
    {"accessibility.magnifier": "90x"},
    {"accessibility.secret": "on"},
    {"input.layouts": "secret"},
)
MALFORMED: tuple[dict[str, object], ...] = (
    {},
    {"settings": []},
    {"settings": {"Secret": "on"}},
    {"settings": {"a.b": 1}},
    {"settings": {"a.b": {"secret": "on"}}},
    {"settings": {"a.b": "secret\x1b[2J"}},
    {"settings": {"a.b": ["secret"] * 17}},
    {"settings": {f"a.b{n}": "on" for n in range(17)}},
    {"settings": {"a.b": "secret " * 200}},
)


def test_what_may_not_be_arranged_is_refused_and_not_repeated(laptop: CommandLaptop) -> None:
    for settings in NOT_ARRANGED:
        laptop.obey(arrange(laptop, settings))
        assert not kept(laptop).settings, settings
    found = laptop.receipts()
    assert [(one.state, one.code) for one in found] == [("failed", "not-allowed")] * len(NOT_ARRANGED)
    told = "".join(one.to_bytes().decode() for one in found)
    assert not [one for one in ("secret", "homepage", "magnifier", "90x", "layouts") if one in told]


def test_malformed_ones_are_refused_without_a_word_of_them(laptop: CommandLaptop) -> None:
    for args in MALFORMED:
        order = laptop.order("arrange", args=args)
        with pytest.raises(BookbagError) as caught:
            orderargs.check(orders.parse_order(order).order)
        assert caught.value.code == "bad-envelope" and "secret" not in str(caught.value).lower(), args
    laptop.obey(laptop.order("arrange", args=MALFORMED[-1]))
    assert not kept(laptop).settings and [one.code for one in laptop.view.refusals] == ["bad-envelope"]


def test_it_lives_for_a_school_year_at_most(laptop: CommandLaptop) -> None:
    laptop.obey(arrange(laptop, LARGER, expires=START + 401 * DAY))
    assert not kept(laptop).settings
    laptop.obey(arrange(laptop, LARGER, expires=START + 400 * DAY))
    assert kept(laptop).settings


def test_a_mailbox_with_the_largest_of_them_looks_like_one_with_none(laptop: CommandLaptop) -> None:
    """I-6. The control: of an order that is not bounded, it would not."""
    fields, most = laptop.trust.identity.seal_key.public, orderargs.MOST_ARRANGED_BYTES
    small = arrange(laptop, {})
    full = {"settings": {"accessibility.magnifier": "x" * (most - 30)}, "until": 1 << 32, "salt": "f" * 32}
    large = laptop.order("arrange", "ada", "bo", args=full)
    orderargs.check(orders.parse_order(large).order)
    boxes = [mailbox.seal_order(one, fields) for one in (small, large)]
    assert {len(box) for box in boxes} == {ORDER_BLOCK}
    assign = laptop.school.order(laptop.trust)
    for length in range(0, 9000, 500):  # whatever else there is to say
        others = [assign, laptop.order("message", args={"text": {"en": "x" * length}})]
        mails = [mailbox.seal_mailbox([*others, *more], fields) for more in ([], boxes[:1], boxes[1:])]
        assert len({len(mail) for mail in mails}) == 1
    bare = [len(seal(mailbox.make_mailbox([assign, *more]), fields)) for more in ([], boxes[:1])]
    assert bare[0] != bare[1], "the control"
    with pytest.raises(BookbagError, match="by itself"):
        mailbox.seal_order(laptop.order("message", args={"text": {"en": "x" * 3000}}), fields)


def test_a_sealed_order_opens_for_its_laptop_and_its_purpose_alone(
    laptop: CommandLaptop, tmp_path: Path
) -> None:
    identity = laptop.trust.identity
    order = arrange(laptop, LARGER, expires=START + 9 * DAY)
    other = CommandLaptop(tmp_path / "other", laptop.school)
    box = mailbox.seal_order(order, other.trust.identity.seal_key.public)
    laptop.obey(box)
    assert [one.code for one in laptop.view.refusals] == ["bad-envelope"] and not kept(laptop).settings
    mine = mailbox.seal_order(order, identity.seal_key.public)
    with pytest.raises(BookbagError):
        unseal(mine, identity.seal_key, purpose="mail", block=ORDER_BLOCK)
    laptop.obey(mine)
    assert dict(kept(laptop).settings) == LARGER, "the control"
