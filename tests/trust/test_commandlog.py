"""The public log of orders: one chain, seen longer each time and never otherwise."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import jsontext
from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.trust import commandlog, floors
from agent.trust.commandlog import GENESIS, SEGMENT, CommandLog, read_log
from tests.trust.school import START, Laptop, School


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def made(count: int, *, class_: str = "erase", at: int = START) -> CommandLog:
    log = CommandLog()
    for number in range(count):
        log = log.extended(digest(number), class_, at)
    return log


@pytest.mark.parametrize("count", [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT])
def test_a_log_is_read_as_it_was_written(count: int) -> None:
    log = made(count)
    files = log.segments("north")
    assert list(files) == [commandlog.segment_name(n) for n in range(-(-count // SEGMENT))]
    assert all(len(data) < 8192 for data in files.values()), "laptops on thin lines fetch the last one often"
    assert read_log(files.values(), "north") == log
    assert log.hash_at(0) == GENESIS and log.hash_at(count + 1) == ""


def test_an_order_is_named_once() -> None:
    log = made(3)
    assert log.extended(digest(1), "erase", START) is log


def test_a_clock_at_the_desk_that_goes_back_does_not_break_the_chain() -> None:
    log = made(1).extended(digest(9), "hold", START - 30 * DAY)
    assert log.entries[1].day == log.entries[0].day
    assert read_log(log.segments("north").values(), "north") == log


def altered(log: CommandLog, number: int, **changes: object) -> bytes:
    value = jsontext.parse(log.segments("north")["log-0.json"], what="")
    assert isinstance(value, dict)
    value["entries"][number].update(changes)
    return jsontext.canonical(value)


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (1, {"sha256": digest(77)}),  # the next one names the former hash
        (1, {"n": 3}),
        (1, {"prev": GENESIS}),
        (0, {"day": START // DAY + 9}),
        (2, {"day": 0}),
        (2, {"class": "lock"}),
        (2, {"class": 7}),
        (2, {"sha256": digest(1)}),
        (2, {"sha256": "x"}),
        (2, {"n": "3"}),
        (2, {"prev": None}),
    ],
)
def test_whatever_is_altered_is_refused(number: int, changes: dict[str, object]) -> None:
    with pytest.raises(BookbagError) as error:
        read_log([altered(made(3), number, **changes)], "north")
    assert error.value.code == "bad-metadata"


@pytest.mark.parametrize(
    ("segments", "code"),
    [
        ([b"<html>"], "bad-json"),
        ([b"{}"], "bad-metadata"),
        ([b'{"v": 2, "site": "north", "entries": []}'], "format-too-new"),
        ([b'{"v": 1, "site": "north", "entries": []}'], "bad-metadata"),
        ([b'{"v": 1, "site": "south", "entries": []}'], "wrong-site"),
        ([made(3).segments("north")["log-0.json"]] * 2, "bad-metadata"),
        ([made(SEGMENT + 1).segments("north")["log-1.json"]], "bad-metadata"),
    ],
)
def test_what_is_no_log_is_refused(segments: list[bytes], code: str) -> None:
    with pytest.raises(BookbagError) as error:
        read_log(segments, "north")
    assert error.value.code == code


def test_a_log_extends_the_one_seen_before_or_is_refused() -> None:
    seen, longer = made(4), made(6)
    known = seen.head
    commandlog.check_extends(longer, known=known, looked_at=START, at=START)
    commandlog.check_extends(seen, known=known, looked_at=START, at=START)
    for other in (made(3), CommandLog(), made(6, class_="hold"), made(6, at=START - 9 * DAY)):
        with pytest.raises(BookbagError) as error:
            commandlog.check_extends(other, known=known, looked_at=START, at=START)
        assert error.value.code == "rollback"


@pytest.mark.parametrize(("day", "ok"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_what_is_new_was_published_since_the_last_look_and_not_after_now(day: int, ok: bool) -> None:
    log = CommandLog().extended(digest(1), "hold", START + day * DAY)
    try:
        commandlog.check_extends(log, known=(0, GENESIS), looked_at=START, at=START)
        assert ok
    except BookbagError as error:
        assert (ok, error.code) == (False, "bad-metadata")


@given(st.lists(st.tuples(st.sampled_from(["hold", "erase"]), st.integers(0, 6)), max_size=40))
def test_the_rank_counts_this_day_and_the_one_before(orders: list[tuple[str, int]]) -> None:
    log = CommandLog()
    day = START // DAY
    for number, (class_, days) in enumerate(orders):
        day += days // 3  # mostly the same day
        log = log.extended(digest(number), class_, day * DAY)
    for entry in log.entries:
        before = [one for one in log.entries if one.n <= entry.n and one.class_ == entry.class_]
        assert log.rank(entry) == sum(1 for one in before if one.day in (entry.day, entry.day - 1))


@pytest.mark.parametrize(
    ("class_", "fleet", "most"),
    [("erase", 0, 3), ("erase", 149, 3), ("erase", 200, 4), ("erase", 8000, 160), ("hold", 12, 10)],
)
def test_the_brake(class_: str, fleet: int, most: int) -> None:
    assert floors.brake(class_, fleet) == most


def test_a_full_segment_is_published_once_and_never_again(school: School, laptop: Laptop) -> None:
    """What a laptop holds already it need not fetch."""
    school.log = made(SEGMENT)
    school.repository.file_log(school.log)
    school.publish()
    first = {path.name for path in (school.mirror / "targets" / "mail").iterdir()}
    school.log = school.log.extended(digest(99), "hold", START)
    school.repository.file_log(school.log)
    school.publish()
    assert first <= {path.name for path in (school.mirror / "targets" / "mail").iterdir()}
    assert laptop.verify(school.mirror).log_head == school.log.head


def test_a_broken_log_costs_only_the_orders_that_it_should_name(school: School, laptop: Laptop) -> None:
    envelope = school.order(laptop)
    lock = school.order(laptop, "lock")
    school.log_order(lock)
    school.mail(laptop, envelope, lock)
    school.publish()
    (segment,) = (school.mirror / "targets" / "mail").glob("*.log-0.json")
    segment.write_bytes(b"x" * segment.stat().st_size)
    view = laptop.verify(school.mirror)
    assert [one.kind for one in view.orders] == ["assign"]
    assert {one.code for one in view.refusals} == {"bad-metadata", "not-logged"}


def test_replaced_keys_of_mail_void_the_log_that_they_forked(school: School, laptop: Laptop) -> None:
    """A thief of the online keys shows a log of his own; two persons replace the keys, and the school's
    counts again."""
    theirs = made(5)
    school.repository.file_log(theirs)
    school.publish()
    assert laptop.verify(school.mirror).log_head == theirs.head
    ours = made(2, class_="hold")
    school.repository.file_log(ours)
    school.publish()
    assert "rollback" in {one.code for one in laptop.verify(school.mirror).refusals}
    from agent.trust.site.online import Online

    school.online = Online.generate()
    school.repository.rotate(at=START, online=school.online.public)
    school.sign("root", "ada", "bo")
    school.sign("targets", "ada", "bo")
    school.publish()
    view = laptop.verify(school.mirror)
    assert (view.log_head, view.refusals) == (ours.head, ())
