"""Teachers and sessions at the desk, with the real command line, and laptops that judge what is published."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.core import jsontext
from agent.fleet import keyfile, orders
from agent.fleet.folder import Folder
from agent.trust import dsse
from agent.trust.keys import SealPublicKey
from agent.trust.view import Order
from tests.fleet.chain import Chain
from tests.fleet.desk import DAY, PASSPHRASE, Desk, Laptop, enrolled, make_desk

TABLE = """\
policy: exam
rank: school
owner: ict@north.example
review-by: "2027-08-01"
when: {timetable: exam}
timetables:
  exam: {zone: Europe/Berlin, startable: 2h}
settings:
  browser.blocked-sites: ["*"]
"""
TEACHER = ("teacher", "add", "lee", "--school", "north", "--class", "9b", "--until", "2027-07-31")
START = ("session", "start", "9b", "exam", "--for", "90m")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, dict[str, Laptop]]:
    """A site with a teacher of 9b and three laptops, one of them in 9c; made once."""
    top = tmp_path_factory.mktemp("school")
    desk = make_desk(top / "it")
    (desk.root / "policies/ict").mkdir(parents=True, exist_ok=True)
    (desk.root / "policies/ict/exam.yaml").write_text(TABLE)
    desk.run(*TEACHER)
    told = desk.run("publish", "--as", "ict-1", "--as", "head-1", as_json=False).out
    assert "the teacher lee" not in told, "of a site that was never published everything is new"
    laptops = {
        name: enrolled(desk, top, name, "school=north", "year=9", f"class={class_}")
        for name, class_ in (("ana", "9b"), ("ben", "9b"), ("cem", "9c"))
    }
    desk.publish("ict-1")
    return desk, laptops


@pytest.fixture
def desk(school: tuple[Desk, dict[str, Laptop]], tmp_path: Path) -> Desk:
    return school[0].copy(tmp_path / "it")


@pytest.fixture
def laptops(school: tuple[Desk, dict[str, Laptop]], tmp_path: Path) -> dict[str, Laptop]:
    return {
        name: replace(one, folder=Path(shutil.copytree(one.folder, tmp_path / name)))
        for name, one in school[1].items()
    }


def heard(desk: Desk, laptop: Laptop, *, expect: int = 0) -> list[Order]:
    """Sessions that hold, after the desk published. ``expect`` 4: something could not be filed."""
    desk.run("publish", expect=expect)
    view = laptop.verify(desk.root / "published", desk.now)
    assert view.refusals == ()
    return [one for one in view.orders if one.kind == "session"]


def who(desk: Desk) -> dict[str, dict[str, Any]]:
    return {one["device"]: one for one in desk.run("session", "who", "9b").value["laptops"]}


def test_a_teacher_starts_extends_releases_and_ends(desk: Desk, laptops: dict[str, Laptop]) -> None:
    desk.run(*START, "--as", "lee")
    for name, class_ in (("ana", True), ("ben", True), ("cem", False)):
        found = heard(desk, laptops[name])
        assert [(one.persons, dict(one.args)) for one in found] == (
            [(("lee",), {"action": "start", "timetable": "exam"})] if class_ else []
        )
    assert {one["timetable"] for one in who(desk).values()} == {"exam"}
    desk.run("session", "release", "ana", "--as", "lee")
    desk.now += 3600
    desk.run("session", "extend", "9b", "--for", "60m", "--as", "lee")
    (ana,), (ben,) = heard(desk, laptops["ana"]), heard(desk, laptops["ben"])
    assert dict(ana.args) == {"action": "end"}, "who was released is not brought back"
    assert (dict(ben.args)["timetable"], ben.expires) == ("exam", desk.now + 3600)
    assert [one["timetable"] for one in who(desk).values()] == ["", "exam"]
    desk.run("session", "end", "9b", "--as", "lee")
    assert [dict(one.args) for one in heard(desk, laptops["ben"])] == [{"action": "end"}]
    assert {one["timetable"] for one in who(desk).values()} == {""}
    told = desk.run("session", "extend", "9b", "--for", "60m", "--as", "lee", expect=1).value["error"]
    assert told["code"] == "not-found" and "nothing is on" in told["message"]


def test_who_is_in_is_what_the_laptops_say(desk: Desk, laptops: dict[str, Laptop]) -> None:
    desk.run(*START, "--as", "lee")
    (order,) = heard(desk, laptops["ana"])
    chain = Chain(laptops["ana"], desk)
    assert chain.returns == SealPublicKey.from_hex(Folder(desk.root).site().returns_key)
    chain.tell(order=order.id, kind="session")
    desk.run("receipts", "--as", "ict-1")
    found = who(desk)
    assert (found["ana"]["state"], found["ben"]["state"]) == ("done", "")
    assert "no word yet" in desk.run("session", "who", "9b", as_json=False).out


def test_what_laptops_would_refuse_is_not_signed(desk: Desk) -> None:
    for words, code in (
        (("session", "start", "9b", "lessons", "--for", "90m"), "not-allowed"),
        (("session", "start", "9b", "exam", "--for", "121m"), "not-allowed"),
        (("session", "start", "7a", "exam", "--for", "90m"), "not-found"),
        (("session", "start", "9c", "exam", "--for", "90m"), "not-allowed"),
        (("session", "end", "9c"), "not-allowed"),
        (("session", "release", "cem"), "not-allowed"),
    ):
        assert desk.run(*words, "--as", "lee", expect=1).value["error"]["code"] == code
    assert desk.run("session", "start", "9b", "exam", "--for", "6h", "--as", "lee", expect=64).code == 64
    assert not list((desk.root / "orders/ana").glob("session*"))
    desk.run(*START, "--as", "lee")
    assert list((desk.root / "orders/ana").glob("session*")), "the control"


def test_an_order_for_another_class_is_not_filed(desk: Desk, laptops: dict[str, Laptop]) -> None:
    folder = Folder(desk.root)
    lee = keyfile.unlock(folder.read(folder.key_file("lee")), PASSPHRASE.encode(), place="lee")
    wish = orders.Wish("session", {"action": "start", "timetable": "exam"}, life=3600)
    orders.give(folder, folder.device("cem"), wish, [lee], now=desk.now)
    assert heard(desk, laptops["cem"], expect=4) == []
    (waits,) = desk.run("approve", "--list").value["orders"]
    assert (waits["device"], waits["kind"]) == ("cem", "session") and "whose class" in waits["why"]
    desk.run("approve", "cem", "--as", "ict-1")
    assert [one.persons for one in heard(desk, laptops["cem"])] == [("ict-1",)], "who decides may"


@pytest.mark.parametrize("slot", ["session", "hold"])
def test_a_number_run_up_by_a_thief_keeps_nobody_out(
    desk: Desk, laptops: dict[str, Laptop], slot: str
) -> None:
    """What lies in the folder may have got there past the desk's own count."""
    folder = Folder(desk.root)
    words = START if slot == "session" else ("lock", "ana")
    desk.run(*words, "--as", "ict-1")
    honest = folder.device("ana")
    folder.save_device(replace(honest, seqs={**honest.seqs, slot: honest.seqs[slot] + 900}))
    desk.run(*words, "--as", "ict-1")
    folder.save_device(honest)
    desk.run("publish")
    laptops["ana"].verify(desk.root / "published", desk.now)
    desk.now += 1000
    desk.run(*(("session", "end", "9b") if slot == "session" else ("unlock", "ana")), "--as", "ict-1")
    desk.run("publish")
    view = laptops["ana"].verify(desk.root / "published", desk.now)
    kept_out = [] if slot == "session" else ["replayed"]  # the control: of other kinds the count is kept
    assert [one.code for one in view.refusals] == kept_out


def test_an_order_with_anothers_id_is_not_filed(desk: Desk, laptops: dict[str, Laptop]) -> None:
    """A teacher who sees the folder sees what waits there for a second person."""
    desk.run("lock", "ana", "--as", "ict-1")
    desk.run(*START, "--as", "lee")
    lock = orders.read_order(Folder(desk.root), "ana", "lock")
    path = desk.root / "orders/ana/session.json"
    payload = json.loads(dsse.parse(path.read_bytes()).payload)
    lee = keyfile.unlock((desk.root / "keys/lee.json").read_bytes(), PASSPHRASE.encode(), place="")
    for id_, filed in ((payload["id"], ["session"]), (lock.id if lock else "", [])):
        data = jsontext.canonical({**payload, "id": id_})
        path.write_bytes(dsse.sign(data, dsse.ORDER_TYPE, [lee.sign]))
        assert [one.kind for one in heard(desk, laptops["ana"], expect=0 if filed else 4)] == filed


def test_a_teacher_signs_nothing_else(desk: Desk, laptops: dict[str, Laptop]) -> None:
    desk.run("lock", "ana", "--as", "lee")
    desk.run("publish", expect=4)
    view = laptops["ana"].verify(desk.root / "published", desk.now)
    assert [one.kind for one in view.orders] == ["assign"]
    desk.run("approve", "ana", "--as", "ict-1")
    desk.run("publish")
    assert "lock" in [one.kind for one in laptops["ana"].verify(desk.root / "published", desk.now).orders], (
        "the control"
    )


def test_a_removed_teacher_starts_nothing(desk: Desk, laptops: dict[str, Laptop]) -> None:
    desk.run(*START, "--as", "lee")
    desk.run("teacher", "remove", "lee")
    told = desk.run("publish", "--as", "ict-1", "--as", "head-1", as_json=False, expect=4)
    assert "the teacher lee starts no sessions any more" in told.out + told.err
    assert heard(desk, laptops["ana"], expect=4) == []
    assert desk.run("teacher").value["teachers"] == []
    assert "No teachers yet" in desk.run("teacher", as_json=False).out


def test_nothing_is_signed_that_outlasts_the_key(desk: Desk) -> None:
    last = datetime(2027, 8, 1, tzinfo=UTC)  # the end of the teacher's last day
    desk.now = int(last.timestamp()) - 3600
    assert desk.run(*START, "--as", "lee", expect=1).value["error"]["code"] == "not-allowed"
    desk.run("session", "start", "9b", "exam", "--for", "60m", "--as", "lee")
    desk.run("session", "end", "9b", "--as", "lee")
    order = orders.read_order(Folder(desk.root), "ana", "session")
    assert order is not None and order.draft.order.expires == last.timestamp()
    desk.now += 3600
    assert desk.run("session", "end", "9b", "--as", "lee", expect=1).value["error"]["code"] == "not-allowed"


def test_trust_tells_what_a_teacher_may_before_it_is_signed(desk: Desk) -> None:
    desk.run("teacher", "add", "lee", "--school", "north", "--class", "9b", "9c", "--until", "2027-06-30")
    (told,) = desk.run("approve", "--list").value["trust"]
    assert told.startswith("the teacher lee may start sessions of 9b, 9c at north until 2027-06-30")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ict-1", "--school", "north", "--class", "9b", "--until", "2027-06-30"), "conflict"),
        (("may", "--school", "north", "--class", "9b", "--until", "2029-06-30"), "bad-metadata"),
        (("may", "--school", "north", "--class", "9b", "--until", "soon"), "bad-yaml"),
        (("may", "--school", "North!", "--class", "9b", "--until", "2027-06-30"), "bad-argument"),
        (("../may", "--school", "north", "--class", "9b", "--until", "2027-06-30"), "bad-argument"),
    ],
)
def test_no_teacher_beyond_the_bounds_is_kept(desk: Desk, words: tuple[str, ...], code: str) -> None:
    found = desk.run("teacher", "add", *words, expect=None)
    assert found.code in (1, 64) and found.value["error"]["code"] == code
    assert [path.name for path in (desk.root / "teachers").iterdir()] == ["lee.yaml"]
    assert not (desk.root / "keys/may.json").exists()


def test_nobody_takes_the_place_of_a_teacher(desk: Desk) -> None:
    before = (desk.root / "keys/lee.json").read_bytes()
    assert desk.run("person", "add", "lee", expect=1).value["error"]["code"] == "conflict"
    assert (desk.root / "keys/lee.json").read_bytes() == before
    assert not (desk.root / "people/lee.yaml").exists()


def test_a_key_that_was_made_elsewhere_stays_there(desk: Desk, tmp_path: Path) -> None:
    desk.run("person", "keygen", "may", "--out", str(tmp_path / "stick"))
    public = ("--public", str(tmp_path / "stick/people/may.yaml"))
    desk.run("teacher", "add", "may", "--school", "north", "--class", "9b", "--until", "2027-06-30", *public)
    assert not (desk.root / "keys/may.json").exists()
    told = desk.run(*START, "--as", "may", expect=1).value["error"]
    assert told["code"] == "bad-key"
    desk.run(*START, "--as", "may", "--keys", str(tmp_path / "stick"))


def test_check_finds_what_somebody_wrote_into_a_teachers_file(desk: Desk) -> None:
    path = desk.root / "teachers/lee.yaml"
    before = path.read_text()
    for change in (("2027-07-31", "2031-07-31"), ("id: lee", "id: eve"), ('- "', '- "zz')):
        path.write_text(before.replace(*change, 1))
        assert path.read_text() != before
        found = desk.run("check", expect=4).value["findings"]
        assert any(one["place"].startswith("teachers/lee.yaml") for one in found), found
    path.write_text(before)
    assert desk.now + DAY and not [
        one for one in desk.run("check", expect=None).value["findings"] if "teachers" in one["place"]
    ]
