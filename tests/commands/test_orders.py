"""Orders obeyed, refused, called off and told of, on a laptop in a folder."""

from __future__ import annotations

import pytest

from agent.commands import erasing
from agent.commands.book import MOST_REFUSALS
from agent.commands.case import Step
from agent.core.errors import BookbagError
from agent.host.sandbox.laptop import PASSPHRASES
from agent.trust import dsse, floors
from agent.trust.identity import DeviceIdentity
from tests.commands.laptop import TWO, CommandLaptop, tree
from tests.trust.school import DAY, START

HOUR = 3600
DIARY_KEY = PASSPHRASES[0]


def order_id(envelope: bytes) -> str:
    from agent.trust.orders import parse_order

    return parse_order(envelope).order.id


# -- message


def test_a_message_is_kept_once_until_it_is_out_of_date(laptop: CommandLaptop) -> None:
    say = laptop.order("message", args={"text": {"en": "Bring your charger", "ar": "أحضر الشاحن"}})
    for _ in range(3):
        laptop.obey(say)
    (kept,) = laptop.parts().messages.read(laptop.at)
    assert (dict(kept.text)["en"], kept.persons) == ("Bring your charger", ("ada",))
    assert laptop.told() == [("message", "done", "")]
    assert laptop.parts().messages.read(START + 8 * DAY) == ()


def test_of_many_messages_the_newest_are_kept(laptop: CommandLaptop) -> None:
    for number in range(22):
        laptop.obey(laptop.order("message", args={"text": {"en": str(number)}}))
    kept = laptop.parts().messages.read(laptop.at)
    assert [one.text["en"] for one in kept] == [str(number) for number in range(21, 1, -1)]


# -- lock and unlock


def test_a_lock_keeps_people_out_and_an_unlock_gives_everything_back(laptop: CommandLaptop) -> None:
    before = tree(laptop.machine_folder)
    assert laptop.log_in() == "", "the way in works before"
    laptop.obey(laptop.order("lock", args={"contact": "office"}))
    assert laptop.log_in() != ""
    hold = laptop.parts().holding.read()
    assert (hold.phase, hold.contact, len(hold.challenge)) == ("closed", "office", 7)
    laptop.obey(laptop.order("unlock"))
    assert laptop.log_in() == ""
    from agent.host.sandbox import trying

    trying.log_out(str(laptop.machine_folder))
    after = tree(laptop.machine_folder)
    own = {".sandbox/attributes.jsonl", ".sandbox/sessions.json"}  # of attributes the sandbox keeps a log
    assert {name for name in before if after.get(name) != before[name]} <= own
    assert laptop.parts().holding.read().phase == "open"
    states = [(kind, state) for kind, state, _ in laptop.told()]
    assert states == [("lock", "done"), ("unlock", "done")]
    (lock, _) = laptop.receipts()
    assert lock.evidence["grade"] == 1
    assert set(dict(lock.evidence["layers"]).values()) == {True}  # type: ignore[call-overload]


def test_a_lock_closes_again_what_came_open(laptop: CommandLaptop) -> None:
    laptop.obey(laptop.order("lock"))
    gate = laptop.host.lock_layers[0]
    gate.restore(laptop.parts().holding._undo.prior(f"lock:{gate.name}")[0] or {})
    assert not gate.closed(), "somebody opened it by hand"
    laptop.run(laptop.view)
    assert gate.closed()
    laptop.obey(laptop.order("unlock"))
    assert laptop.log_in() == "", "what it was at first is what comes back"


def test_nothing_that_expires_loosens_a_lock(laptop: CommandLaptop) -> None:
    """I-5: neither the order's own time, nor that of the word that brought it."""
    laptop.obey(laptop.order("lock", expires=START + DAY))
    laptop.at += 60 * DAY
    assert laptop.view.expired(laptop.at)
    laptop.run(laptop.view)
    assert laptop.log_in() != ""
    assert all(layer.closed() for layer in laptop.host.lock_layers)
    assert laptop.parts().holding.read().locked
    laptop.obey(laptop.order("unlock"))
    assert laptop.log_in() == "", "the control: word that is fresh again does"


def test_a_second_lock_changes_the_words_and_not_what_comes_back(laptop: CommandLaptop) -> None:
    laptop.obey(laptop.order("lock", args={"contact": "office"}))
    first = laptop.parts().holding.read()
    laptop.obey(laptop.order("lock", args={"contact": "head", "lost": True}))
    second = laptop.parts().holding.read()
    assert (second.contact, second.lost, second.challenge != first.challenge) == ("head", True, True)
    laptop.obey(laptop.order("unlock"))
    assert laptop.log_in() == ""


def test_a_dated_lock_waits_for_its_day_without_a_network(laptop: CommandLaptop) -> None:
    outlook = laptop.obey(laptop.order("lock", not_before=START + 2 * DAY, expires=START + 90 * DAY))
    assert (outlook.open, outlook.next_at) == (1, START + 2 * DAY)
    assert laptop.log_in() == ""
    laptop.at += 2 * DAY
    laptop.run(laptop.view)
    assert laptop.log_in() != ""


def test_an_unlock_that_comes_before_a_dated_lock_takes_its_place(laptop: CommandLaptop) -> None:
    laptop.obey(laptop.order("lock", not_before=START + DAY, expires=START + 90 * DAY))
    laptop.obey(laptop.order("unlock"))
    laptop.at += 2 * DAY
    laptop.run(laptop.view)
    assert laptop.log_in() == ""
    assert ("lock", "refused", "replayed") in laptop.told()


def test_a_machine_that_cannot_be_locked_says_so(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    bare = dataclasses.replace(laptop.host, lock_layers=())
    monkeypatch.setattr(CommandLaptop, "host", bare)
    laptop.obey(laptop.order("lock"))
    assert laptop.told() == [("lock", "failed", "not-supported")]


def test_one_layer_that_fails_keeps_no_other_open_and_is_told(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = type(laptop.host.lock_layers[1])

    def close(_: object) -> None:
        raise BookbagError("io-error", "cannot close: the disk failed")

    monkeypatch.setattr(broken, "close", close)
    laptop.obey(laptop.order("lock"))
    assert laptop.log_in() != ""
    assert laptop.told() == [("lock", "unconfirmed", "not-effective")]
    monkeypatch.undo()
    laptop.run(laptop.view)
    assert all(layer.closed() for layer in laptop.host.lock_layers), "the next run goes on"
    assert laptop.told()[-1] == ("lock", "done", "")


def test_a_code_opens_a_laptop_of_which_not_everything_could_be_closed(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened by telephone, it is not locked again by the order that never got to its end."""
    broken = type(laptop.host.lock_layers[1])
    monkeypatch.setattr(broken, "closed", lambda _: False)
    laptop.obey(laptop.order("lock"))
    assert laptop.told() == [("lock", "unconfirmed", "not-effective")]
    assert laptop.log_in() != ""
    laptop.parts().holding.open()  # what a right code does
    laptop.run(laptop.view)
    assert laptop.log_in() == ""
    assert laptop.told()[-1] == ("lock", "failed", "not-effective")
    laptop.obey(laptop.order("lock"))
    assert laptop.log_in() != "", "another order does"


def test_a_lock_that_is_still_asked_for_is_never_forgotten(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it would be done, and told, once more."""
    monkeypatch.setattr("agent.commands.book.MOST_ENDED", 2)
    lock = laptop.order("lock")
    laptop.obey(lock)
    for text in ("one", "two", "three"):
        laptop.obey(lock, laptop.order("message", args={"text": {"en": text}}))
    laptop.run(laptop.view)
    assert [kind for kind, _, _ in laptop.told()] == ["lock", "message", "message", "message"]
    assert len(laptop.book().ended) == 3


def test_an_opening_by_code_that_stays_unproven_is_told_as_such_and_then_as_done(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.obey(laptop.order("lock"))
    broken = type(laptop.host.lock_layers[1])
    with monkeypatch.context() as patch:
        patch.setattr(broken, "restore", lambda *_: None)
        holding = laptop.parts().holding
        assert not all(holding.answered(holding.read()).values())
        laptop.run(laptop.view)
        laptop.run(laptop.view)
    laptop.run(laptop.view)
    laptop.run(laptop.view)
    (_, first, last) = laptop.receipts()
    assert (first.kind, first.state, first.final) == ("unlock-by-code", "unconfirmed", False)
    assert (last.kind, last.state, last.final) == ("unlock-by-code", "done", True)
    assert first.order == last.order and False in dict(first.evidence["layers"]).values()  # type: ignore[call-overload]
    assert laptop.parts().holding.read().untold == ()


def next_epoch(laptop: CommandLaptop, *without: str) -> None:
    """Somebody's power ends, and two others say so."""
    laptop.school.repository.stage_trust(laptop.school.trust(epoch=2, without=without), at=laptop.at)
    laptop.school.sign("targets", *TWO)


def test_a_lock_holds_when_somebodys_power_ends_and_the_next_unlock_opens(laptop: CommandLaptop) -> None:
    lock, unlock = laptop.order("lock", seq=700), laptop.order("unlock", seq=701)
    laptop.obey(lock)
    next_epoch(laptop, "cy")
    laptop.obey(lock, unlock)
    assert laptop.log_in() != "", "it holds, and no word of before opens it"
    laptop.obey(laptop.order("unlock", epoch=2, seq=1))
    assert laptop.log_in() == ""
    laptop.obey(laptop.order("lock", epoch=2, seq=2), lock, unlock)
    assert laptop.log_in() != ""


def test_an_order_of_a_new_epoch_is_the_newer_one_whatever_its_number(laptop: CommandLaptop) -> None:
    """A wipe with a high number is armed; the next epoch's, which counts from one, takes its place."""
    laptop.obey(laptop.order("wipe", *TWO, seq=700))
    next_epoch(laptop, "cy")
    second = laptop.order("wipe", *TWO, epoch=2, seq=1)
    laptop.obey(second)
    (armed,) = laptop.book().cases
    assert (armed.id, armed.step) == (order_id(second), Step.ARMED)
    assert [(state, code) for _, state, code in laptop.told()] == [
        ("armed", ""), ("refused", "replayed"), ("armed", ""),
    ]  # fmt: skip


def test_an_armed_wipe_stays_armed_in_a_new_epoch_and_can_be_called_off(laptop: CommandLaptop) -> None:
    wipe = laptop.order("wipe", *TWO)
    laptop.obey(wipe, laptop.order("cancel", args={"id": "0" * 32}, seq=900))
    next_epoch(laptop, "cy")
    laptop.obey(wipe)
    assert [one.step for one in laptop.book().cases] == [Step.ARMED]
    laptop.obey(laptop.order("cancel", args={"id": order_id(wipe)}, epoch=2, seq=1))
    laptop.later(5 * HOUR)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    assert ("wipe", "cancelled", "cancelled") in laptop.told()


def test_a_dated_lock_of_somebody_whose_power_ended_does_not_come(laptop: CommandLaptop) -> None:
    dated = {"not_before": START + 2 * DAY, "expires": START + 90 * DAY}
    laptop.obey(laptop.order("lock", "cy", **dated))
    next_epoch(laptop, "cy")
    laptop.obey(laptop.order("message", args={"text": {"en": "x"}}, epoch=2))
    laptop.at += 3 * DAY
    laptop.run(laptop.view)
    assert laptop.log_in() == ""
    assert ("lock", "refused", "wrong-epoch") in laptop.told()


def test_a_lock_outweighs_a_dated_unlock_of_its_number(laptop: CommandLaptop) -> None:
    """Two people decided at once, and locked is the safe side, also when the unlock came first."""
    laptop.obey(laptop.order("unlock", seq=5, not_before=START + DAY, expires=START + 90 * DAY))
    laptop.obey(laptop.order("lock", seq=5))
    laptop.at += 2 * DAY
    laptop.run(laptop.view)
    assert laptop.log_in() != ""
    assert ("unlock", "refused", "replayed") in laptop.told()


@pytest.mark.parametrize("lose", ["truncate", "unlink"])
def test_a_lock_whose_memory_is_lost_holds_until_an_unlock(laptop: CommandLaptop, lose: str) -> None:
    laptop.obey(laptop.order("lock"))
    for name in ("hold.json", "hold.json.2"):
        path = laptop.state / name
        path.write_bytes(b"") if lose == "truncate" else path.unlink()
    with pytest.raises(BookbagError) as caught:
        laptop.parts().holding.read()
    assert caught.value.code == "state-corrupt"
    laptop.run(laptop.view)
    assert laptop.log_in() != ""
    laptop.obey(laptop.order("unlock"))
    assert laptop.log_in() == ""
    assert laptop.parts().holding.read().phase == "open"


def test_an_unlock_takes_the_place_of_a_lock_that_could_not_close_everything(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(laptop.host.lock_layers[1]), "closed", lambda _: False)
    laptop.obey(laptop.order("lock"))
    monkeypatch.undo()
    laptop.obey(laptop.order("unlock"))
    assert laptop.log_in() == ""
    assert laptop.told() == [
        ("lock", "unconfirmed", "not-effective"),
        ("lock", "refused", "replayed"),
        ("unlock", "done", ""),
    ]
    assert laptop.book().cases == ()


def test_an_error_that_passes_ends_no_order(laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch) -> None:
    from agent.commands.holding import Holding

    def full(*_: object) -> None:
        raise BookbagError("disk-full", "cannot write: no space is left")

    monkeypatch.setattr(Holding, "write", full)
    laptop.obey(laptop.order("lock"))
    assert laptop.told() == [] and laptop.log_in() == ""
    monkeypatch.undo()
    laptop.run(laptop.view)
    assert laptop.told() == [("lock", "done", "")] and laptop.log_in() != ""


# -- cancel


def test_an_order_is_called_off_before_it_arrives_and_while_it_waits(laptop: CommandLaptop) -> None:
    first, second = (laptop.order("wipe", *TWO) for _ in range(2))
    laptop.obey(laptop.order("cancel", args={"id": order_id(first)}))
    laptop.obey(first)
    laptop.obey(second)
    laptop.obey(second, laptop.order("cancel", args={"id": order_id(second)}))
    told = [(kind, state) for kind, state, _ in laptop.told()]
    assert told == [
        ("cancel", "done"),
        ("wipe", "cancelled"),
        ("wipe", "armed"),
        ("wipe", "cancelled"),
        ("cancel", "done"),
    ]
    assert laptop.book().cases == ()


def test_a_wipe_that_is_due_and_called_off_in_one_word_is_called_off(laptop: CommandLaptop) -> None:
    wipe = armed(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.obey(wipe, laptop.order("cancel", args={"id": order_id(wipe)}), erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    assert laptop.told()[1:] == [("wipe", "cancelled", "cancelled"), ("cancel", "done", "")]


def test_what_is_done_cannot_be_called_off(laptop: CommandLaptop) -> None:
    say = laptop.order("message", args={"text": {"en": "hello"}})
    laptop.obey(say)
    laptop.obey(say, laptop.order("cancel", args={"id": order_id(say)}))
    assert laptop.told()[-1] == ("cancel", "too-late", "too-late")


# -- wipe


def armed(laptop: CommandLaptop, *people: str, **more: object) -> bytes:
    wipe = laptop.order("wipe", *(people or TWO), **more)
    laptop.obey(wipe)
    return wipe


def test_two_persons_after_the_grace_erase_and_a_certificate_says_how(laptop: CommandLaptop) -> None:
    assert laptop.diary(DIARY_KEY) is not None, "the passphrase opens it before"
    armed(laptop)
    laptop.later(floors.GRACE + 60)
    outlook = laptop.hear()
    assert outlook.erase and laptop.diary(DIARY_KEY) is not None, "who may not erase leaves it alone"
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None
    assert [state for _, state, _ in laptop.told()] == ["armed", "started", "done"]
    certificate = laptop.receipts()[-1].evidence
    assert certificate["sanitization"] == "simulated" and certificate["grade"] == "crypto-erase"
    assert certificate["ordered-by"] == ["ada", "bo"]
    volumes = certificate["volumes"]
    assert isinstance(volumes, list) and len(volumes) == 1
    assert volumes[0]["slots-after"] == 0 < volumes[0]["slots-before"]
    assert volumes[0]["blocks-sampled"] > 0
    assert not (laptop.state / "boot" / "wipe.json").exists()


def test_nothing_is_erased_before_the_grace_is_over(laptop: CommandLaptop) -> None:
    armed(laptop)
    laptop.later(floors.GRACE - 60)
    assert not laptop.hear(erasing=True).erase
    assert laptop.diary(DIARY_KEY) is not None
    laptop.later(120)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None


def test_whoever_keeps_the_news_back_erases_nothing(laptop: CommandLaptop) -> None:
    """Four hours passed on the laptop; the word it has is from before, when nobody could have called it off
    yet."""
    armed(laptop)
    laptop.at += floors.GRACE + HOUR
    laptop.run(laptop.view, erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    laptop.later(0)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None


def test_a_suspect_clock_erases_nothing(laptop: CommandLaptop) -> None:
    armed(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.quality = "suspect"
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    laptop.quality = "good"
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None


def test_an_armed_wipe_that_expires_ends(laptop: CommandLaptop) -> None:
    armed(laptop)
    laptop.later(15 * DAY)
    laptop.hear(erasing=True)
    assert laptop.told()[-1] == ("wipe", "failed", "expired")
    assert laptop.diary(DIARY_KEY) is not None


def test_a_wipe_that_is_contradicted_while_armed_is_not_carried_out(laptop: CommandLaptop) -> None:
    first = armed(laptop, seq=2)
    laptop.obey(first, laptop.order("wipe", *TWO, seq=2))
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert {code for _, state, code in laptop.told() if state == "conflict"} == {"conflict"}
    assert laptop.diary(DIARY_KEY) is not None


@pytest.mark.parametrize(
    ("people", "changes", "code"),
    [
        (("ada",), {}, "under-signed"),
        (("ada", "ada-2"), {}, "under-signed"),
        (TWO, {"grace_s": 60}, "not-allowed"),
        (TWO, {"serial_sha256": "0" * 64}, "wrong-serial"),
        (TWO, {"epoch": 7}, "wrong-epoch"),
        (TWO, {"expires": START + 15 * DAY}, "bad-envelope"),
    ],
)
def test_a_refused_wipe_is_told_and_the_same_done_right_is_taken(
    laptop: CommandLaptop, people: tuple[str, ...], changes: dict[str, object], code: str
) -> None:
    keys = {name: human.key for name, human in laptop.school.people.items()}
    keys["ada-2"] = laptop.school.people["ada"].second
    wipe = laptop.school.order(
        laptop.trust,
        "wipe",
        signers=tuple(keys[name] for name in people),
        **{"grace_s": floors.GRACE, **changes},
    )
    laptop.school.log_order(wipe)
    laptop.obey(wipe)
    laptop.hear(erasing=True)
    assert laptop.told() == [("wipe", "refused", code)], "once, however often it is offered"
    assert laptop.receipts()[0].order == order_id(wipe) and not laptop.receipts()[0].final
    if code == "under-signed":
        laptop.obey(dsse.add_signature(wipe, keys["bo"]))
    else:
        armed(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None


def test_a_wipe_without_a_log_entry_and_one_beyond_the_brake_are_told(laptop: CommandLaptop) -> None:
    unlogged = laptop.school.order(laptop.trust, "wipe", signers=keys_of(laptop), grace_s=floors.GRACE)
    laptop.obey(unlogged)
    for number in range(6):
        laptop.school.log = laptop.school.log.extended(f"{number:064x}", "erase", laptop.at)
    laptop.obey(laptop.order("wipe", *TWO))
    assert laptop.told() == [("wipe", "refused", "not-logged"), ("wipe", "refused", "brake")]
    assert laptop.receipts()[1].log_n == 7, "the desk sees which log the laptop saw"


def test_orders_made_up_without_end_are_not_told_without_end(laptop: CommandLaptop) -> None:
    """Receipts of what somebody else orders push none of the school's own out of the outbox."""
    ada = laptop.school.people["ada"].key
    made_up: list[bytes] = []
    for _ in range(4):
        made_up = [
            laptop.school.order(laptop.trust, "wipe", signers=(ada,), reason=str(n)) for n in range(20)
        ]
        laptop.obey(*made_up)
    assert len(laptop.told()) == MOST_REFUSALS < 80
    laptop.later(DAY)
    laptop.obey(*made_up)
    assert len(laptop.told()) == 80, "the rest of the newest twenty, a day later"


def keys_of(laptop: CommandLaptop) -> tuple:  # type: ignore[type-arg]
    return tuple(laptop.school.people[name].key for name in TWO)


def test_a_laptop_that_was_lost_for_a_day_is_erased_without_grace(laptop: CommandLaptop) -> None:
    laptop.obey(laptop.order("lock", args={"lost": True}))
    laptop.later(DAY)
    laptop.school.mail(laptop.trust, laptop.order("wipe", *TWO, grace_s=0))
    laptop.school.publish()
    laptop.at += HOUR  # it may be on the network this once
    assert laptop.hear().erase, "without a newer word"
    laptop.run(laptop.view, erasing=True)
    assert laptop.diary(DIARY_KEY) is None


def test_a_machine_without_an_encrypted_volume_says_so(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    monkeypatch.setattr(CommandLaptop, "host", dataclasses.replace(laptop.host, volumes=None))
    armed(laptop)
    assert laptop.told() == [("wipe", "failed", "not-supported")]


def test_no_certificate_without_proof(laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key slots that do not go: told once as unconfirmed, tried again, certified when it is proven."""
    volumes = type(laptop.host.volumes)
    armed(laptop)
    laptop.later(floors.GRACE + 60)
    monkeypatch.setattr(volumes, "erase_keys", lambda *_: None)
    laptop.hear(erasing=True)
    laptop.later(HOUR)
    laptop.hear(erasing=True)
    assert [state for _, state, _ in laptop.told()] == ["armed", "started", "unconfirmed"]
    assert not any(one.final for one in laptop.receipts())
    monkeypatch.undo()
    laptop.later(HOUR)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None
    assert laptop.receipts()[-1].final and laptop.told()[-1][1] == "done"


def test_a_volume_that_is_no_longer_listed_is_not_forgotten(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is cut short after the order was armed: one is found all the same, the other not."""
    volumes = type(laptop.host.volumes)
    names = laptop.host.volumes.names()  # type: ignore[union-attr]
    monkeypatch.setattr(volumes, "names", lambda _: (*names, "/srv/second.luks"))
    armed(laptop)
    monkeypatch.setattr(volumes, "names", lambda _: ())
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None
    assert laptop.told()[-1] == ("wipe", "unconfirmed", "not-effective")
    assert not any("standard" in one.evidence for one in laptop.receipts()), "and nothing is certified"


def test_that_nothing_is_known_to_erase_is_no_proof(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(laptop.host.volumes), "names", lambda _: ())
    problem = erasing.erase(laptop.host, {})
    assert problem is not None and problem.code == "not-effective"


# -- memory


def lose_book(laptop: CommandLaptop) -> None:
    for name in ("commands.json", "commands.json.2"):
        (laptop.state / name).write_bytes(b"")


def test_a_laptop_that_lost_its_book_carries_out_nothing_destructive_from_before(
    laptop: CommandLaptop,
) -> None:
    """Among what it forgot may be that the order was called off."""
    wipe = armed(laptop)
    laptop.obey(wipe, laptop.order("cancel", args={"id": order_id(wipe)}))
    lose_book(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.obey(wipe, erasing=True)
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    assert laptop.told()[-1] == ("wipe", "refused", "recovering")
    armed(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None, "a new order counts"


def test_a_decision_outlives_the_book(laptop: CommandLaptop) -> None:
    armed(laptop)
    laptop.later(floors.GRACE + 60)
    committed = laptop.parts()
    laptop.hear()
    from dataclasses import replace

    book = laptop.book()
    (case,) = book.cases
    decided = case.to(Step.COMMITTED, laptop.at)
    committed.book.write(replace(book).with_case(decided))
    committed.staged.put(decided, laptop.trust.identity)
    lose_book(laptop)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is None


def test_what_is_done_once_more_after_the_book_was_lost_is_not_called_final_twice(
    laptop: CommandLaptop,
) -> None:
    """Messages, cancels and a lock lie in the mailbox still, and nobody knows that they were obeyed."""
    asked = [
        laptop.order("message", args={"text": {"en": "hello"}}),
        laptop.order("cancel", args={"id": "0f" * 16}),
        laptop.order("lock"),
    ]
    laptop.obey(*asked)
    lose_book(laptop)
    laptop.later(60)
    laptop.obey(*asked)
    assert sorted((one.kind, one.state, one.final) for one in laptop.receipts()) == [
        (kind, "done", final) for kind in ("cancel", "lock", "message") for final in (False, True)
    ]
    assert laptop.book().called_off == ("0f" * 16,), "and what was called off is known again"
    assert len(laptop.parts().messages.read(laptop.at)) == 1
    laptop.later(60)
    laptop.obey(*asked, laptop.order("message", args={"text": {"en": "hello again"}}))
    assert laptop.told()[-1] == ("message", "done", "") and laptop.receipts()[-1].final


def test_a_cancel_that_was_not_taken_down_is_in_the_next_word(laptop: CommandLaptop) -> None:
    """Verified, and then the laptop died: the wipe that it calls off comes later, and erases nothing."""
    wipe = laptop.order("wipe", *TWO)
    cancel = laptop.order("cancel", args={"id": order_id(wipe)})
    laptop.school.mail(laptop.trust, cancel)
    laptop.school.publish()
    laptop.trust.verify(laptop.school.mirror, laptop.at)
    laptop.obey(cancel, wipe)
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    assert sorted(laptop.told()) == [("cancel", "done", ""), ("wipe", "cancelled", "cancelled")]


def test_a_book_that_is_gone_is_a_lost_one(laptop: CommandLaptop) -> None:
    wipe = armed(laptop)
    laptop.obey(wipe, laptop.order("cancel", args={"id": order_id(wipe)}))
    for name in ("commands.json", "commands.json.2"):
        (laptop.state / name).unlink()
    laptop.later(floors.GRACE + 60)
    laptop.obey(wipe, erasing=True)
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    assert laptop.told()[-1] == ("wipe", "refused", "recovering")


# -- enrolled anew


def enrol_anew(laptop: CommandLaptop) -> None:
    """The same machine, site and folders; another device."""
    outbox = laptop.parts().outbox
    for name in outbox.names():
        outbox.remove(name)
    laptop.trust.identity = DeviceIdentity.generate()


def test_a_wipe_of_the_former_life_is_not_carried_out(laptop: CommandLaptop) -> None:
    armed(laptop)
    enrol_anew(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.run(laptop.view, erasing=True)  # the last word is still that of the former life
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is not None
    assert laptop.told() == []


def test_nor_is_one_that_was_decided_and_left_on_boot(laptop: CommandLaptop) -> None:
    """Erased half-way, installed anew on the same /boot, enrolled again: what lies there is not of this
    life."""
    armed(laptop)
    laptop.parts().staged.put(laptop.book().cases[0].to(Step.COMMITTED, laptop.at), laptop.trust.identity)
    lose_book(laptop)
    enrol_anew(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    assert laptop.diary(DIARY_KEY) is not None


def test_orders_and_receipts_begin_anew(laptop: CommandLaptop) -> None:
    """The desk counts from one again, and so does the laptop; a lock holds all the same."""
    laptop.obey(laptop.order("lock", seq=3))
    enrol_anew(laptop)
    laptop.obey(laptop.order("message", seq=1, args={"text": {"en": "Welcome back"}}))
    assert laptop.log_in() != ""
    laptop.obey(laptop.order("unlock", seq=1))
    assert laptop.log_in() == ""
    assert [(one.n, one.kind, one.state) for one in laptop.receipts()] == [
        (1, "message", "done"), (2, "unlock", "done"),
    ]  # fmt: skip
    lose_book(laptop)
    laptop.obey(laptop.order("message", seq=2, args={"text": {"en": "Once more"}}))
    assert [one.n for one in laptop.receipts()] == [1, 2, 3], "the ledger knows which are of this life"


def test_receipts_wait_in_the_book_while_the_outbox_is_full(
    laptop: CommandLaptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.store.spool import Spool

    def full(*_: object) -> None:
        raise BookbagError("disk-full", "cannot store: full")

    monkeypatch.setattr(Spool, "put", full)
    laptop.obey(laptop.order("message", args={"text": {"en": "hello"}}))
    assert len(laptop.book().unsent) == 1
    monkeypatch.undo()
    laptop.hear()
    assert laptop.told() == [("message", "done", "")]
    assert laptop.book().unsent == ()


def test_every_step_stands_in_the_ledger(laptop: CommandLaptop) -> None:
    armed(laptop)
    laptop.later(floors.GRACE + 60)
    laptop.hear(erasing=True)
    rows = [one for one in laptop.parts().ledger.entries() if one.kind == "command"]
    assert [one.outcome for one in reversed(rows)] == [
        "received",
        "armed",
        "committed",
        "keys",
        "verified",
        "done",
    ]


def test_every_kind_that_trust_lets_through_has_a_handler() -> None:
    from agent.commands.kinds import kinds
    from agent.trust.orders import HANDLED

    assert set(kinds()) == set(HANDLED) - {"assign", "readmit"}
