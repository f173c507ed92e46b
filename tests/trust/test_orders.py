"""Orders in a mailbox: each rule of verify-then-act with the same order accepted beside it."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.ids import new_id
from agent.trust import dsse, floors, mailbox, orders
from agent.trust.identity import DeviceIdentity, mailbox_name
from agent.trust.keys import SigningKey
from agent.trust.persons import KindRule
from agent.trust.sealing import seal
from tests.trust import forging
from tests.trust.school import DAY, START, Laptop, School


def outcome(
    school: School, laptop: Laptop, *envelopes: bytes, at: int = START, quality: str = "good"
) -> list[str]:
    """Codes of refused orders; [] if everything was accepted."""
    school.mail(laptop, *envelopes)
    school.publish()
    view = laptop.verify(school.mirror, at=at, quality=quality)
    assert len(view.orders) + len(view.refusals) == len(envelopes), view.refusals
    return [one.code for one in view.refusals]


def test_a_good_order_is_accepted(school: School, laptop: Laptop) -> None:
    assert outcome(school, laptop, school.order(laptop)) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"site": "south"}, "wrong-site"),
        ({"device": "0" * 32}, "wrong-device"),
        ({"serial_sha256": "0" * 64}, "wrong-serial"),
        ({"epoch": 2}, "wrong-epoch"),
        ({"issued": START - 30 * DAY, "expires": START - DAY}, "expired"),
        ({"issued": START + 3 * DAY, "expires": START + 9 * DAY}, "not-allowed"),
        ({"not_before": START + 3 * DAY}, "not-allowed"),
        ({"not_before": START - DAY}, "bad-envelope"),
        ({"expires": START - 1}, "bad-envelope"),
        ({"seq": 5000}, "seq-jump"),
        ({"seq": 1001}, "seq-jump"),
        ({"seq": 0}, "bad-envelope"),
        ({"kind": "explode"}, "under-signed"),
        ({"kind": "refresh"}, "not-supported"),
        ({"slot": "other"}, "not-supported"),
        ({"id": "x"}, "bad-envelope"),
        ({"v": 2}, "format-too-new"),
        ({"args": {}}, "bad-envelope"),
        ({"expires": "soon"}, "bad-envelope"),
    ],
)
def test_a_wrong_field_refuses_the_order(
    school: School, laptop: Laptop, change: dict[str, Any], code: str
) -> None:
    assert outcome(school, laptop, school.order(laptop, **change)) == [code]
    assert outcome(school, laptop, school.order(laptop, seq=1000)) == []  # the same laptop takes a right one


def test_signatures_of_strangers_do_not_count(school: School, laptop: Laptop) -> None:
    assert outcome(school, laptop, school.order(laptop, signers=(SigningKey.generate(),))) == [
        "bad-signature"
    ]


def test_the_publisher_cannot_give_orders(school: School, laptop: Laptop) -> None:
    order = school.order(laptop, signers=(school.online.mail, school.online.timestamp))
    assert outcome(school, laptop, order) == ["bad-signature"]


def test_a_raised_number_of_persons_holds(school: School, laptop: Laptop) -> None:
    school.repository.stage_trust(school.trust(assign=KindRule(2)), at=START)
    school.sign("targets", "ada", "bo")
    ada, bo = school.people["ada"], school.people["bo"]
    assert outcome(school, laptop, school.order(laptop)) == ["under-signed"]
    assert outcome(school, laptop, school.order(laptop, signers=(ada.key, ada.second))) == ["under-signed"]
    assert outcome(school, laptop, school.order(laptop, signers=(ada.key, bo.key))) == []


def test_a_kind_that_is_reserved_to_others_is_not_this_persons(school: School, laptop: Laptop) -> None:
    school.repository.stage_trust(school.trust(assign=KindRule(1, ("bo",))), at=START)
    school.sign("targets", "ada", "bo")
    assert outcome(school, laptop, school.order(laptop)) == ["bad-signature"]
    assert outcome(school, laptop, school.order(laptop, signers=(school.people["bo"].key,))) == []


def test_orders_of_an_earlier_epoch_are_void(school: School, laptop: Laptop) -> None:
    order = school.order(laptop)
    school.repository.stage_trust(school.trust(epoch=2, without=("cy",)), at=START)
    school.sign("targets", "ada", "bo")
    assert outcome(school, laptop, order) == ["wrong-epoch"]
    assert outcome(school, laptop, school.order(laptop, epoch=2)) == []


def test_an_older_sequence_number_is_a_replay(school: School, laptop: Laptop) -> None:
    first, second = school.order(laptop), school.order(laptop)
    assert outcome(school, laptop, first) == []
    assert outcome(school, laptop, second) == []
    assert outcome(school, laptop, first) == ["replayed"]
    held = laptop.verify(school.mirror).assignment
    assert held is not None
    assert held.seq == 2


def test_another_order_with_the_same_number_is_a_replay(school: School, laptop: Laptop) -> None:
    assert outcome(school, laptop, school.order(laptop, seq=7)) == []
    assert outcome(school, laptop, school.order(laptop, seq=7)) == ["replayed"]
    assert outcome(school, laptop, school.order(laptop, seq=8)) == []


def test_an_id_is_taken_once(school: School, laptop: Laptop) -> None:
    name = new_id()
    assert outcome(school, laptop, school.order(laptop, id=name)) == []
    assert outcome(school, laptop, school.order(laptop, id=name)) == ["replayed"]


def test_numbers_may_run_ahead_by_a_thousand(school: School, laptop: Laptop) -> None:
    assert outcome(school, laptop, school.order(laptop, seq=1000)) == []
    assert outcome(school, laptop, school.order(laptop, seq=2001)) == ["seq-jump"]
    assert outcome(school, laptop, school.order(laptop, seq=2000)) == []


def test_the_orders_of_one_mailbox_do_not_push_each_other_on(school: School, laptop: Laptop) -> None:
    """One stolen key and one publication: a thousand, not thirty-two thousand."""
    assert outcome(school, laptop, school.order(laptop, seq=5)) == []
    pushed = [school.order(laptop, seq=5 + 1000 * n) for n in range(1, mailbox.MOST_ORDERS + 1)]
    assert outcome(school, laptop, *pushed) == ["seq-jump"] * (mailbox.MOST_ORDERS - 1)
    assert laptop.marks()["seq.assign"] == 1005


def next_epoch(school: School, *without: str, epoch: int = 2) -> None:
    """Somebody's power ends, and two others say so."""
    school.repository.stage_trust(school.trust(epoch=epoch, without=without), at=START)
    school.sign("targets", "ada", "bo")


def test_numbers_begin_anew_with_an_epoch_however_far_a_stolen_key_ran_them_up(
    school: School, laptop: Laptop
) -> None:
    cy = (school.people["cy"].key,)
    kinds = ("assign", "lock", "unlock", "message", "cancel")
    args: dict[str, dict[str, Any]] = {
        "message": {"args": {"text": {"en": "x"}}, "expires": START + 7 * DAY},
        "cancel": {"args": {"id": "0" * 32}},
    }
    forged = [
        school.order(laptop, kind, signers=cy, seq=990 + n, **args.get(kind, {}))
        for n, kind in enumerate(kinds)
    ]
    for one in forged:
        school.log_order(one)
    assert outcome(school, laptop, *forged) == []
    again = [school.order(laptop, kind, seq=1, **args.get(kind, {})) for kind in kinds]
    assert outcome(school, laptop, *again) == ["replayed"] * 5, "what the school orders is not heard"
    next_epoch(school, "cy")
    anew = [
        school.order(laptop, kind, epoch=2, seq=1 + (kind == "unlock"), **args.get(kind, {}))
        for kind in kinds
    ]
    for one in anew:
        school.log_order(one)
    assert outcome(school, laptop, *anew) == []
    held = laptop.verify(school.mirror).assignment
    assert held is not None and (held.epoch, held.seq, held.persons) == (2, 1, ("ada",))
    assert laptop.marks()["seq.assign"] == 1, "and they count from there"
    assert outcome(school, laptop, school.order(laptop, epoch=2, seq=1002)) == ["seq-jump"]


def test_nothing_of_an_epoch_that_is_over_comes_back_though_its_numbers_are_forgotten(
    school: School, laptop: Laptop
) -> None:
    lock, unlock = command(school, laptop, "lock", seq=8), command(school, laptop, "unlock", seq=9)
    wipe, other = (command(school, laptop, "wipe", *TWO, seq=7) for _ in range(2))
    said = command(school, laptop, "message", args={"text": {"en": "x"}})
    assert codes(school, laptop, lock, wipe, said) == []
    next_epoch(school)
    old = (lock, unlock, wipe, other, said)
    school.mail(laptop, *old)
    school.publish()
    view = laptop.verify(school.mirror)
    # Of the message too: whether it was taken down in time, nobody knows here.
    assert [one.code for one in view.refusals] == ["wrong-epoch"] * 5
    assert (view.orders, view.contested) == ((), ()), "nor do two of them contradict each other any more"
    assert not [name for name in laptop.marks() if name.startswith("seq.")]


def test_an_id_is_taken_once_also_in_a_later_epoch(school: School, laptop: Laptop) -> None:
    name = new_id()
    text = {"text": {"en": "x"}}
    assert codes(school, laptop, command(school, laptop, "message", args=text, id=name)) == []
    next_epoch(school)
    again = command(school, laptop, "message", args=text, id=name, epoch=2)
    assert codes(school, laptop, again) == ["replayed"]
    assert codes(school, laptop, command(school, laptop, "message", args=text, epoch=2)) == []


def test_numbers_stay_while_the_epoch_does(school: School, laptop: Laptop) -> None:
    """Trust that is signed again, without a change of epoch, brings no order back."""
    lock, unlock = command(school, laptop, "lock"), command(school, laptop, "unlock")
    assert codes(school, laptop, lock) == []
    assert codes(school, laptop, unlock) == []
    school.repository.stage_trust(school.trust(lock=KindRule(1, ("ada",))), at=START)
    school.sign("targets", "ada", "bo")
    assert codes(school, laptop, lock) == ["replayed"]


def test_the_newest_of_several_holds(school: School, laptop: Laptop) -> None:
    newer, older = school.order(laptop, seq=9), school.order(laptop, seq=3)
    assert outcome(school, laptop, newer, older) == []
    held = laptop.verify(school.mirror).assignment
    assert held is not None
    assert held.seq == 9


def test_one_bad_order_leaves_the_others(school: School, laptop: Laptop) -> None:
    assert outcome(school, laptop, school.order(laptop, site="south"), school.order(laptop)) == ["wrong-site"]
    assert laptop.verify(school.mirror).assignment is not None


def test_assign_vouches_for_exactly_this_laptops_keys(school: School, laptop: Laptop) -> None:
    """A server that swapped two laptops' keys at enrolment cannot make a person's `assign` fit the wrong
    one."""
    other = DeviceIdentity.generate()
    args = {
        "school": "north-high",
        "year": "9",
        "class": "9b",
        "sign_key": laptop.identity.public[0].hex,
        "seal_key": other.public[1].hex,
    }
    assert outcome(school, laptop, school.order(laptop, args=args)) == ["wrong-device"]
    args["seal_key"] = laptop.identity.public[1].hex
    assert outcome(school, laptop, school.order(laptop, args=args)) == []


def test_mail_sealed_to_another_laptop_costs_only_itself(school: School, laptop: Laptop) -> None:
    box = mailbox_name("north", laptop.identity.id)
    plain = mailbox.make_mailbox([school.order(laptop)])
    school.repository.file_mail(box, seal(plain, DeviceIdentity.generate().seal_key.public))
    school.publish()
    view = laptop.verify(school.mirror)
    assert [(one.subject, one.code) for one in view.refusals] == [("mailbox", "bad-envelope")]
    assert view.documents
    school.repository.file_mail(box, seal(plain, laptop.identity.seal_key.public))
    school.publish()
    assert laptop.verify(school.mirror).assignment is not None


@pytest.mark.parametrize(
    "plain", [b"", b"{}", b'{"v": 2}', b'{"v": 1, "envelopes": "x"}', b'{"v":1,"envelopes":["!"]}']
)
def test_a_malformed_mailbox_costs_only_itself(school: School, laptop: Laptop, plain: bytes) -> None:
    school.repository.file_mail(
        mailbox_name("north", laptop.identity.id), seal(plain, laptop.identity.seal_key.public)
    )
    school.publish()
    view = laptop.verify(school.mirror)
    assert [one.subject for one in view.refusals] == ["mailbox"]
    assert view.documents


def test_a_former_lifes_mail_does_not_reach_a_re_enrolled_laptop(school: School, laptop: Laptop) -> None:
    school.mail(laptop, school.order(laptop))
    school.publish()
    laptop.identity = DeviceIdentity.generate()
    view = laptop.verify(school.mirror)
    assert (view.orders, view.assignment, view.refusals) == ((), None, ())


def test_a_laptop_that_was_assigned_and_enrols_anew_is_assigned_anew(school: School, laptop: Laptop) -> None:
    """Whoever it was before, it is not; and the desk's numbers for it begin again."""
    school.mail(laptop, school.order(laptop, seq=7))
    school.publish()
    assert laptop.verify(school.mirror).assignment is not None
    laptop.identity = DeviceIdentity.generate()
    assert laptop.verify(school.mirror).assignment is None
    school.mail(laptop, school.order(laptop, seq=1))
    school.publish()
    view = laptop.verify(school.mirror)
    assert view.assignment is not None and view.assignment.seq == 1
    assert view.refusals == ()
    school.mail(laptop, school.order(laptop, seq=1, id="ab" * 16))
    school.publish()
    assert [one.code for one in laptop.verify(school.mirror).refusals] == ["replayed"], "in one life"


def test_a_bin_of_another_site_or_an_older_one_is_refused(school: School, laptop: Laptop) -> None:
    school.mail(laptop, school.order(laptop))
    school.publish()
    box = f"mail/{mailbox_name('north', laptop.identity.id)}"
    mail = forging.load(school.mirror, forging.newest(school.mirror, "mail"))
    role = mail.signed.delegations.succinct_roles.get_role_for_target(box)

    def foreign(signed: Any) -> None:
        signed.unrecognized_fields["site"] = "south"

    laptop.verify(school.mirror)
    forging.edit_role(school.mirror, school, role, foreign, [school.online.mail])
    assert {one.code for one in laptop.verify(school.mirror).refusals} == {"wrong-site"}
    forging.republish(school.mirror, school, snapshot=forging.point(school.mirror, role, 1))
    assert {one.code for one in laptop.verify(school.mirror).refusals} == {"rollback"}


def test_a_suspect_clock_does_not_stop_assign(school: School, laptop: Laptop) -> None:
    assert outcome(school, laptop, school.order(laptop), quality="suspect") == []


def test_every_step_is_in_the_table() -> None:
    listed = [step.__name__ for step in orders.STEPS]
    assert listed == [
        "check_signatures",
        "check_kind",
        "check_site",
        "check_device",
        "check_epoch",
        "check_serial",
        "check_teacher",
        "check_own_id",
        "check_window",
        "check_clock",
        "check_grace",
        "check_recovering",
        "check_unseen",
        "check_sequence",
        "check_args",
        "check_log",
        "check_brake",
    ]
    defined = [name for name in vars(orders) if name.startswith("check_")]
    assert sorted(defined) == sorted(listed)


# -- commands


TWO = ("ada", "bo")


def command(school: School, laptop: Laptop, kind: str, *people: str, **more: object) -> bytes:
    """A command of ``people``, in the public log where its kind belongs there."""
    signers = tuple(school.people[name].key for name in people or ("ada",))
    if floors.floor(kind).destructive:
        more.setdefault("grace_s", floors.GRACE)
    if life := floors.floor(kind).life:
        more.setdefault("expires", START + life)
    envelope = school.order(laptop, kind, signers=signers, **more)
    school.log_order(envelope)
    return envelope


def codes(school: School, laptop: Laptop, *envelopes: bytes, at: int = START) -> list[str]:
    """Why orders were refused; [] if none was."""
    school.mail(laptop, *envelopes)
    school.publish()
    return [one.code for one in laptop.verify(school.mirror, at=at).refusals]


@pytest.mark.parametrize(
    ("args", "ok"),
    [
        ({"text": {"en": "Come to the office."}}, True),
        ({"text": {"en": "Two\nlines", "ar": "\u062a\u0639\u0627\u0644"}}, True),
        ({"text": {}}, False),
        ({}, False),
        ({"text": "hello"}, False),
        ({"text": {"en": "x" * 1001}}, False),
        ({"text": {"en": "\x1b[2Jgone"}}, False),
        ({"text": {"english": "hello"}}, False),
        ({"text": {"en": 7}}, False),
        ({"text": {f"a{chr(97 + n)}": "x" for n in range(17)}}, False),
    ],
)
def test_what_a_message_may_say(school: School, laptop: Laptop, args: dict[str, Any], ok: bool) -> None:
    found = codes(school, laptop, command(school, laptop, "message", args=args))
    assert found == ([] if ok else ["bad-envelope"])


@pytest.mark.parametrize(
    ("args", "ok"),
    [
        ({}, True),
        ({"message": {"en": "Lost"}, "contact": "ict@north.example", "lost": True}, True),
        ({"contact": "\x1b]0;x\x07"}, False),
        ({"contact": "x" * 201}, False),
        ({"lost": "yes"}, False),
        ({"message": ["Lost"]}, False),
    ],
)
def test_what_a_lock_may_say(school: School, laptop: Laptop, args: dict[str, Any], ok: bool) -> None:
    found = codes(school, laptop, command(school, laptop, "lock", args=args))
    assert found == ([] if ok else ["bad-envelope"])


@pytest.mark.parametrize(("args", "ok"), [({"id": "0" * 32}, True), ({}, False), ({"id": "all"}, False)])
def test_a_cancel_names_one_order(school: School, laptop: Laptop, args: dict[str, Any], ok: bool) -> None:
    found = codes(school, laptop, command(school, laptop, "cancel", args=args))
    assert found == ([] if ok else ["bad-envelope"])


def test_several_messages_wait_side_by_side_until_each_has_expired(school: School, laptop: Laptop) -> None:
    """Each is in every view until then, signers and all: what was taken down, only the book knows."""
    text = {"text": {"en": "hello"}}
    waiting = [
        command(school, laptop, "message", args=text, expires=START + days * DAY) for days in (1, 2, 3)
    ]
    school.mail(laptop, *waiting)
    school.publish()
    first = laptop.verify(school.mirror)
    marks = laptop.high_water.read()
    again = laptop.verify(school.mirror)
    assert len(first.orders) == 3 and (again.orders, again.refusals) == (first.orders, ())
    assert laptop.high_water.read() == marks
    waiting.append(command(school, laptop, "message", args=text, expires=START + 4 * DAY))
    school.mail(laptop, *waiting, waiting[0])  # the same twice is one
    school.publish()
    more = laptop.verify(school.mirror)
    assert (more.orders[:3], len(more.orders), more.refusals) == (first.orders, 4, ())
    school.publish(START + 2 * DAY)
    later = laptop.verify(school.mirror, START + 2 * DAY)
    assert (later.orders, later.refusals) == (more.orders[2:], ())


def test_what_its_signer_may_no_longer_order_is_not_told_again(school: School, laptop: Laptop) -> None:
    """Taken, and maybe not yet taken down when the person was removed: refused then, in plain words."""
    say = command(school, laptop, "message", args={"text": {"en": "hello"}})
    school.mail(laptop, say)
    school.publish()
    assert len(laptop.verify(school.mirror).orders) == 1
    school.repository.stage_trust(school.trust(epoch=2, without=("ada",)), at=START)
    school.sign("targets", "bo", "cy")
    school.policy(signers=("bo",), home="policy: home\nowner: bo\n")
    school.publish()
    view = laptop.verify(school.mirror)
    assert view.orders == ()
    assert [one.code for one in view.refusals] == ["bad-signature"]


def test_the_newest_of_lock_and_unlock_is_what_is_meant(school: School, laptop: Laptop) -> None:
    lock, unlock = command(school, laptop, "lock"), command(school, laptop, "unlock")
    assert codes(school, laptop, lock) == []
    held = laptop.verify(school.mirror)
    assert [one.kind for one in held.orders] == ["lock"], "it is told again while it holds"
    assert codes(school, laptop, unlock) == []
    assert codes(school, laptop, lock) == ["replayed"]


def test_of_a_lock_and_an_unlock_with_one_number_the_lock_holds(school: School, laptop: Laptop) -> None:
    """Whichever comes first, and if both come at once."""
    assert codes(school, laptop, command(school, laptop, "unlock", seq=4)) == []
    lock = command(school, laptop, "lock", seq=4)
    assert codes(school, laptop, lock) == []
    assert codes(school, laptop, command(school, laptop, "unlock", seq=4)) == ["replayed"]
    both = (command(school, laptop, "unlock", seq=5), command(school, laptop, "lock", seq=5))
    assert codes(school, laptop, *both) == ["replayed"]
    assert [one.kind for one in laptop.verify(school.mirror).orders] == ["lock"]


def test_two_locks_with_one_number_are_one_lock(school: School, laptop: Laptop) -> None:
    both = [command(school, laptop, "lock", seq=4, args={"contact": name}) for name in ("a", "b")]
    assert codes(school, laptop, *both) == ["replayed"]
    assert len(laptop.verify(school.mirror).orders) == 1


def test_a_wipe_that_another_contradicts_is_contested_also_when_it_was_accepted(
    school: School, laptop: Laptop
) -> None:
    first = command(school, laptop, "wipe", *TWO, seq=2)
    school.mail(laptop, first)
    school.publish()
    (armed,) = laptop.verify(school.mirror).orders
    second = command(school, laptop, "wipe", *TWO, seq=2)
    school.mail(laptop, first, second)
    school.publish()
    view = laptop.verify(school.mirror)
    assert view.orders == ()
    assert armed.id in view.contested and len(view.contested) == 2
    assert {one.code for one in view.refusals} == {"conflict"}


def test_the_same_wipe_with_a_second_persons_signature_is_taken(school: School, laptop: Laptop) -> None:
    one = command(school, laptop, "wipe", "ada")
    assert codes(school, laptop, one) == ["under-signed"]
    two = dsse.add_signature(one, school.people["bo"].key)
    assert codes(school, laptop, two) == []


def test_a_refused_order_to_this_laptop_is_named_and_one_to_another_is_not(
    school: School, laptop: Laptop
) -> None:
    mine = command(school, laptop, "wipe", "ada")
    others = command(school, laptop, "wipe", *TWO, device="0" * 32)
    school.mail(laptop, mine, others)
    school.publish()
    found = {one.code: (one.kind, bool(one.order)) for one in laptop.verify(school.mirror).refusals}
    assert found == {"under-signed": ("wipe", True), "wrong-device": ("", False)}


def test_marks_remember_what_was_seen_in_the_form_of_before(school: School, laptop: Laptop) -> None:
    """A ledger that an earlier version wrote knows ids without what they stood for."""
    assert codes(school, laptop, command(school, laptop, "message", args={"text": {"en": "x"}})) == []
    marks, notes = laptop.high_water.read() or ({}, {})
    old = {name: text.partition(" ")[0] if name.startswith("seen.") else text for name, text in notes.items()}
    laptop.high_water.commit(marks, old)
    assert laptop.verify(school.mirror).refusals == ()
    assert codes(school, laptop, command(school, laptop, "message", args={"text": {"en": "y"}})) == []
