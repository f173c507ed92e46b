"""A teacher in a classroom: a key file, an address, the service as the process it is, and laptops that judge
what it publishes. And whoever else comes to that door."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet import keyfile, orders, receipts
from agent.fleet.classroom import filing, words
from agent.fleet.classroom.client import Classroom
from agent.fleet.classroom.door import Door
from agent.fleet.classroom.judging import Taken
from agent.fleet.classroom.words import Look
from agent.fleet.cli.main import main
from agent.fleet.folder import Folder
from agent.fleet.keyfile import PersonKeys
from agent.fleet.service import classes
from agent.fleet.service.filer import Filer
from agent.trust import dsse, floors, sessionid
from agent.trust.commandlog import segment_name
from agent.trust.orders import parse_order
from agent.trust.view import Order, SiteView
from agent.web.answers import Answer
from agent.web.http import Ends, HttpError, Request
from tests.fleet.chain import Chain
from tests.fleet.desk import DAY, PASSPHRASE, Desk, Laptop, enrolled, make_desk
from tests.fleet.test_serve import https, serving
from tests.fleet.test_sessions import TABLE

START = {"action": "start", "timetable": "exam"}


@dataclass
class School:
    """A published site with a teacher of 9b, and laptops: ana and ben of 9b, cem of 9c."""

    desk: Desk
    laptops: dict[str, Laptop]
    stick: Path  #: what the teacher has

    def teacher(self, port: int, *words_: str, expect: int | None = 0, who: str = "lee") -> dict[str, Any]:
        """What the teacher's program says: it is told of no folder."""
        out = io.StringIO()
        address = f"https://127.0.0.1:{port}/"
        told = [*words_, "--as", who, "--keys", str(self.stick), "--to", address, "--json"]
        before = dict(os.environ)
        os.environ["BOOKBAG_PASSPHRASE"] = PASSPHRASE
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
                code = main(told)
        finally:
            os.environ.clear()
            os.environ.update(before)
        assert expect is None or code == expect, (told, code, out.getvalue())
        return dict(json.loads(out.getvalue().splitlines()[-1]))

    def hears(self, name: str) -> SiteView:
        return self.laptops[name].verify(self.desk.root / "published", int(time.time()))

    def sessions(self, name: str) -> list[Order]:
        view = self.hears(name)
        assert view.refusals == ()
        return [one for one in view.orders if one.kind == "session"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> School:
    top = tmp_path_factory.mktemp("classroom")
    desk = make_desk(top / "it", now=int(time.time()))
    (desk.root / "policies/ict").mkdir(parents=True, exist_ok=True)
    (desk.root / "policies/ict/exam.yaml").write_text(TABLE.replace("2027-08-01", "2087-08-01"))
    until = f"{datetime.fromtimestamp(desk.now + 100 * DAY, UTC):%Y-%m-%d}"
    desk.run("teacher", "add", "lee", "--school", "north", "--class", "9b", "--until", until)
    desk.run("teacher", "add", "kim", "--school", "north", "--class", "9c", "--until", until)
    desk.run("publish", "--as", "ict-1", "--as", "head-1")
    laptops = {
        name: enrolled(desk, top, name, "school=north", "year=9", f"class={class_}")
        for name, class_ in (("ana", "9b"), ("ben", "9b"), ("cem", "9c"))
    }
    desk.publish("ict-1")
    stick = top / "stick"
    stick.mkdir()
    for name in ("keys/lee.json", "keys/kim.json", "ca.pem"):
        shutil.copy(desk.root / name, stick)
    return School(desk, laptops, stick)


@pytest.fixture
def school(made: School, tmp_path: Path) -> School:
    laptops = {
        name: replace(one, folder=Path(shutil.copytree(one.folder, tmp_path / name)))
        for name, one in made.laptops.items()
    }
    desk = made.desk.copy(tmp_path / "it")
    desk.now = int(time.time())
    return School(desk, laptops, made.stick)


def test_a_teacher_starts_extends_releases_and_ends_over_the_line(school: School) -> None:
    with serving(school.desk, "--quiet") as (_, told):
        port = int(told["port"])
        assert school.teacher(port, "session", "start", "9b", "exam", "--for", "90m")["published"] == [
            "ana",
            "ben",
        ]
        for name in ("ana", "ben"):
            assert [(one.persons, dict(one.args)) for one in school.sessions(name)] == [(("lee",), START)]
        assert school.sessions("cem") == []
        rows = school.teacher(port, "session", "who", "9b")["laptops"]
        assert [(one["name"], one["timetable"], one["by"]) for one in rows] == [
            ("ana", "exam", "lee"),
            ("ben", "exam", "lee"),
        ]
        assert school.teacher(port, "session", "release", "ana")["published"] == ["ana"]
        assert school.teacher(port, "session", "extend", "9b", "--for", "2h")["published"] == ["ben"]
        assert [dict(one.args) for one in school.sessions("ana")] == [{"action": "end"}]
        (longer,) = school.sessions("ben")
        assert 7100 < longer.expires - time.time() <= 7200
        school.teacher(port, "session", "end", "9b")
        assert [dict(one.args) for one in school.sessions("ben")] == [{"action": "end"}]
        assert {one["timetable"] for one in school.teacher(port, "session", "who", "9b")["laptops"]} == {""}
        assert school.teacher(port, "session", "start", "9c", "exam", "--for", "5m", expect=1)["error"][
            "code"
        ] == ("not-found"), "of another's class nothing is shown"
        held = school.teacher(port, "session", "start", "9b", "lessons", "--for", "5m", expect=4)["held"]
        assert {one["device"] for one in held} == {"ana", "ben"} and "no policy" in held[0]["why"]
    school.desk.now = int(time.time())
    assert school.desk.run("publish").value.get("mailed", []) == [], "IT's next publish has nothing to add"


def test_who_answered_is_what_laptops_signed(school: School) -> None:
    desk = school.desk
    with serving(desk, "--quiet") as (_, told):
        port = int(told["port"])
        chain = Chain(school.laptops["ana"], desk)
        put(desk, port, *chain.next())
        time.sleep(1.1)  # clocks have whole seconds
        school.teacher(port, "session", "start", "9b", "exam", "--for", "90m")

        def answered() -> list[bool]:
            rows = school.teacher(port, "session", "who", "9b")["laptops"]
            return [bool(one["answered"]) for one in rows]

        forged = Chain(school.laptops["cem"], desk)
        _, box = forged.next()
        assert put(desk, port, chain.name(2), box) == 403, "nobody answers for another laptop"
        assert answered() == [False, False]
        assert put(desk, port, *chain.next(kind="session")) == 201
        assert answered() == [True, False]
    with serving(desk, "--quiet") as (_, told):
        port = int(told["port"])
        assert answered() == [True, False], "also after the service was started anew"


def put(desk: Desk, port: int, name: str, data: bytes) -> int:
    line = https(desk, port)
    line.request("PUT", f"/returns/{name}", body=data)
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status


def test_nothing_of_its_goes_along(school: School) -> None:
    """A lock that is signed and not published, and a policy: neither is a teacher's to publish."""
    desk = school.desk
    desk.run("lock", "ana", "--as", "ict-1")
    desk.policy("wide", after="1m")
    with serving(desk, "--quiet") as (_, told):
        port = int(told["port"])
        answer = school.teacher(port, "session", "start", "9b", "exam", "--for", "90m", expect=4)
        assert answer["published"] == ["ben"]
        assert [one["device"] for one in answer["held"]] == ["ana"] and "IT" in answer["held"][0]["why"]
        assert [one.kind for one in school.hears("ana").orders] == ["assign"]
        assert len(school.sessions("ben")) == 1
        desk.now = int(time.time())
        desk.publish("ict-1")
        assert school.teacher(port, "session", "start", "9b", "exam", "--for", "90m")["published"] == [
            "ana",
            "ben",
        ]
    assert sorted(one.kind for one in school.hears("ana").orders) == ["assign", "lock", "session"], (
        "the control"
    )


def taken_now(school: School, laptop: str, at: int, **changes: object) -> tuple[Taken, ...]:
    """An order that came in by the door and waits."""
    door = Door(Folder(school.desk.root), lambda: at)
    return door.take(words.make_orders([session(school, laptop, at=at, **changes)]))


def file_at(school: School, taken: Sequence[Taken], at: int) -> Mapping[str, str]:
    return filing.file_sessions(Folder(school.desk.root), taken, lambda: at)


def test_what_the_brake_holds_back_goes_along_with_no_session(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock beyond the brake has all its signatures but one, and no place in the log of orders."""
    desk, at = school.desk, int(time.time())
    real = floors.brake
    monkeypatch.setattr(floors, "brake", lambda logged, fleet: 0)
    desk.run("lock", "ana", "--as", "ict-1")
    assert [one["device"] for one in desk.publish("ict-1", expect=4)["lacking"]] == ["ana"]
    folder = Folder(desk.root)
    assert filing.file_sessions(folder, taken_now(school, "ana", at), lambda: at) == {}
    view = school.hears("ana")
    assert view.refusals == () and sorted(one.kind for one in view.orders) == ["assign", "session"]
    monkeypatch.setattr(floors, "brake", real)  # as on the next day: now it would be filed, and logged
    held = filing.file_sessions(folder, taken_now(school, "ana", at, seq=at + 1), lambda: at)
    assert "not published yet" in " ".join(held.values())
    desk.publish("ict-1")
    assert sorted(one.kind for one in school.hears("ana").orders) == ["assign", "lock", "session"]


def test_what_changed_while_it_waited_counts(school: School) -> None:
    """IT may hold the folder for a while."""
    desk, folder, at = school.desk, Folder(school.desk.root), int(time.time())
    waiting = taken_now(school, "ana", at)
    desk.now = at + 1
    desk.run("session", "end", "9b", "--as", "ict-1")
    desk.publish("ict-1")
    assert "newer" in " ".join(filing.file_sessions(folder, waiting, lambda: at + 2).values())
    assert [dict(one.args) for one in school.sessions("ana")] == [{"action": "end"}], "IT's holds"
    at += 10
    later = taken_now(school, "ana", at)
    late = filing.file_sessions(folder, later, lambda: at + filing.LATE + 1)
    assert "another time" in " ".join(late.values()), "nothing begins that was given up"
    assert filing.file_sessions(folder, taken_now(school, "ben", at), lambda: at + filing.LATE) == {}
    desk.now = at
    desk.run("teacher", "remove", "lee")
    desk.run("publish", "--as", "ict-1", "--as", "head-1", expect=4)
    assert "nobody entitled" in " ".join(filing.file_sessions(folder, later, lambda: at).values())


def test_the_desk_counts_on_from_what_a_teacher_gave(school: School) -> None:
    """Whose clock is behind, or met a number of a thief's, is not called a replay by laptops."""
    desk, at = school.desk, int(time.time())
    for ahead in (0, 1, 2):
        given = taken_now(school, "ana", at, seq=at + ahead)
        assert filing.file_sessions(Folder(desk.root), given, lambda: at) == {}
    assert [dict(one.args) for one in school.sessions("ana")] == [START]
    desk.now = at - 60
    desk.run("session", "release", "ana", "--as", "ict-1")
    desk.publish("ict-1")
    assert [dict(one.args) for one in school.sessions("ana")] == [{"action": "end"}]


def test_what_expired_since_holds_nothing_up(school: School) -> None:
    desk, ana = school.desk, school.laptops["ana"]
    desk.run("message", "ana", "--text", "Look up", "--as", "ict-1")
    desk.run("publish")
    published = ana.verify(desk.root / "published", desk.now)
    assert sorted(one.kind for one in published.orders) == ["assign", "message"]
    for days, kinds in ((1, ["assign", "message", "session"]), (8, ["assign", "session"])):
        at = desk.now + days * DAY
        assert file_at(school, taken_now(school, "ana", at), at) == {}
        view = ana.verify(desk.root / "published", at)
        assert sorted(one.kind for one in view.orders) == kinds


@pytest.mark.parametrize("broken", ["", "policy: exam\nrank: [", TABLE.replace("exam:", "other:")])
def test_what_is_published_decides_and_not_what_it_is_just_writing(school: School, broken: str) -> None:
    folder, at = Folder(school.desk.root), int(time.time())
    path = school.desk.root / "policies/ict/exam.yaml"
    path.write_text(broken) if broken else path.unlink()
    door = Door(folder, lambda: at)
    good, other = ("exam", "ana"), ("other", "ben")
    for timetable, laptop in (good, other):
        one = session(school, laptop, at=at, args={"action": "start", "timetable": timetable})
        held = filing.file_sessions(folder, door.take(words.make_orders([one])), lambda: at)
        assert bool(held) == ((timetable, laptop) == other)
    assert (len(school.sessions("ana")), len(school.sessions("ben"))) == (1, 0)


def test_a_machine_that_died_before_it_noted_it_files_the_next(school: School) -> None:
    folder, at = Folder(school.desk.root), int(time.time())
    note = school.desk.root / "orders/filed.json"
    door, before = Door(folder, lambda: at), note.read_bytes()
    for seq, args in ((at, START), (at + 1, {"action": "end"})):
        one = session(school, "ana", at=at, seq=seq, args=args)
        assert filing.file_sessions(folder, door.take(words.make_orders([one])), lambda: at) == {}
        note.write_bytes(before)
    assert [dict(one.args) for one in school.sessions("ana")] == [{"action": "end"}]


def test_a_machine_may_die_at_each_of_the_last_writes(school: School) -> None:
    """While another session is on, of which the mailbox was made."""
    at, died = int(time.time()), 0
    assert file_at(school, taken_now(school, "ana", at), at) == {}
    for number in (2, 3, 4):
        at += 2
        child = os.fork()
        if not child:
            try:
                die_at(number, "/orders/")
                file_at(school, taken_now(school, "ana", at), at)
                os._exit(0)
            finally:
                os._exit(2)
        died += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert file_at(school, taken_now(school, "ana", at + 1), at + 1) == {}, number
        (heard,) = school.sessions("ana")
        assert heard.seq == at + 1
    assert died == 2, "the fourth write was none"


def die_at(number: int, where: str) -> None:
    """End this process at the write of that number there."""
    seen, real = [0], os.replace

    def replacing(source: str, target: str, **more: Any) -> None:
        seen[0] += where in os.fspath(target)
        if seen[0] == number:
            os._exit(1)
        real(source, target, **more)

    os.replace = os.rename = replacing  # type: ignore[assignment]


# -- whoever else comes


def key(school: School, name: str) -> PersonKeys:
    data = (school.desk.root / f"keys/{name}.json").read_bytes()
    return keyfile.unlock(data, PASSPHRASE.encode(), place=name)


def session(school: School, laptop: str, *by: PersonKeys, at: int = 0, **changes: object) -> bytes:
    """A start for an hour; ``changes`` of what is signed. The id is its own unless it is among these."""
    at = at or int(time.time())
    site, record = Folder(school.desk.root).site(), Folder(school.desk.root).device(laptop)
    place = orders.Laptop(record.device or "", record.serial_sha256 or "", site.site, site.epoch)
    payload = orders.payload_of(place, orders.Wish("session", START, life=3600), at, at) | changes
    if "id" not in changes:
        payload["id"] = sessionid.of(payload)
    signers = by or (key(school, "lee"),)
    return dsse.sign(jsontext.canonical(payload), dsse.ORDER_TYPE, [one.sign for one in signers])


def refused(school: School, envelope: bytes, *, at: int = 0) -> str:
    """The code with which it is refused; "" if it is taken."""
    door = Door(Folder(school.desk.root), lambda: at or int(time.time()))
    try:
        door.take(words.make_orders([envelope]))
    except BookbagError as error:
        return error.code
    return ""


def changed(at: int) -> Mapping[str, tuple[dict[str, object], str]]:
    return {
        "another kind": ({"kind": "lock", "slot": "hold", "args": {}}, "not-allowed"),
        "another slot": ({"slot": "hold"}, "not-allowed"),
        "another site": ({"site": "south"}, "wrong-site"),
        "another epoch": ({"epoch": 7}, "wrong-epoch"),
        "another machine": ({"serial_sha256": "0" * 64}, "wrong-serial"),
        "a laptop of nobody": ({"device": "0" * 32}, "not-found"),
        "of this morning": (
            {"issued": at - 7200, "not_before": at - 7200, "seq": at - 7200, "expires": at + 60},
            "expired",
        ),
        "of tomorrow": (
            {"issued": at + DAY, "not_before": at + DAY, "expires": at + DAY + 60, "seq": at + DAY},
            "expired",
        ),
        "for tomorrow": ({"not_before": at + DAY, "expires": at + DAY + 60}, "bad-envelope"),
        "for all day": ({"expires": at + 5 * 3600 + 1}, "bad-envelope"),
        "over before": ({"expires": at - 1}, "bad-envelope"),
        "a number far ahead": ({"seq": at + 1001}, "seq-jump"),
        "a number ahead": ({"seq": at + 1}, "seq-jump"),
        "an id of another": ({"id": "ab" * 16}, "bad-envelope"),
        "no action": ({"args": {"action": "erase"}}, "bad-envelope"),
        "too long": ({"reason": "x" * 900, "more": "y" * 7000}, "bad-envelope"),
    }


@pytest.mark.parametrize("name", changed(0))
def test_only_a_session_as_laptops_take_it_comes_in(school: School, name: str) -> None:
    at = int(time.time())
    changes, code = changed(at)[name]
    assert refused(school, session(school, "ana", at=at, **changes)) == code
    assert refused(school, session(school, "ana", at=at)) == "", "the control"


def test_only_the_teacher_of_that_class_comes_in(school: School) -> None:
    lee, kim, ict = key(school, "lee"), key(school, "kim"), key(school, "ict-1")
    stranger = PersonKeys.generate("lee")
    assert refused(school, session(school, "ana", stranger)) == "bad-signature"
    assert refused(school, session(school, "ana", kim)) == "not-allowed"
    assert refused(school, session(school, "cem", lee)) == "not-allowed"
    assert refused(school, session(school, "ana", ict)) == "bad-signature", "IT signs at the desk"
    assert refused(school, session(school, "ana", lee, ict)) == "bad-envelope"
    assert refused(school, session(school, "ana", lee)) == "", "the control"
    assert refused(school, session(school, "cem", kim)) == "", "the control"
    lock: dict[str, Any] = {"kind": "lock", "slot": "hold", "args": {}}
    for one in (lee, ict):
        assert refused(school, session(school, "ana", one, **lock)) == "not-allowed"


def test_nothing_outlasts_the_key(school: School) -> None:
    last = Folder(school.desk.root).teacher("lee").until
    end = int(datetime.strptime(last, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) + DAY
    for at, code in ((end - 3600, ""), (end - 3599, "not-allowed"), (end + 60, "not-allowed")):
        assert refused(school, session(school, "ana", at=at), at=at) == code
    door = Door(Folder(school.desk.root), lambda: end)
    with pytest.raises(BookbagError, match="does not hold"):
        door.look(words.make_look(Look("", "", end), key(school, "lee").sign), {})


def test_a_teacher_who_is_only_in_the_folder_is_a_stranger(school: School) -> None:
    """Two persons sign who is a teacher; whoever can write into the folder does not."""
    desk = school.desk
    until = Folder(desk.root).teacher("lee").until
    desk.run("teacher", "add", "eve", "--school", "north", "--class", "9b", "--until", until)
    assert refused(school, session(school, "ana", key(school, "eve"))) == "bad-signature"


def test_a_replay_changes_nothing(school: School) -> None:
    folder, at = Folder(school.desk.root), int(time.time())
    door = Door(folder, lambda: at)
    start = session(school, "ana", at=at)
    end = session(school, "ana", at=at, seq=at + 1, args={"action": "end"})
    for one in (start, end):
        assert filing.file_sessions(folder, door.take(words.make_orders([one])), lambda: at) == {}
    assert refused(school, start, at=at) == "replayed"
    assert refused(school, end, at=at) == "", "the same again is the same"
    assert [dict(one.args) for one in school.sessions("ana")] == [{"action": "end"}]


def test_one_bad_order_keeps_all_of_them_out(school: School) -> None:
    good, bad = session(school, "ana"), session(school, "cem")
    door = Door(Folder(school.desk.root), lambda: int(time.time()))
    with pytest.raises(BookbagError):
        door.take(words.make_orders([good, bad]))
    assert len(door.take(words.make_orders([good]))) == 1
    with pytest.raises(BookbagError):
        door.take(words.make_orders([good] * 101))


# -- and how often


@pytest.fixture
def handler(school: School) -> Iterator[tuple[classes.Classes, Filer, list[tuple[str, dict[str, object]]]]]:
    folder, now = Folder(school.desk.root), int(time.time())
    told: list[tuple[str, dict[str, object]]] = []
    filer = Filer(folder, lambda: now, lambda *event: told.append(event))
    yield classes.Classes(Door(folder, lambda: now), filer, lambda: now), filer, told


def post(handler: classes.Classes, path: str, body: bytes, sender: str = "192.0.2.1") -> Answer:
    head = Request("POST", path, 1, {"content-length": str(len(body))}, "", Ends((sender, 1), ("", 0)))
    sink = handler.post(head)
    sink.write(body)
    return sink.finish()


def status(handler: classes.Classes, path: str, body: bytes, sender: str = "192.0.2.1") -> int:
    try:
        return post(handler, path, body, sender).status
    except HttpError as error:
        return error.status


Handler = tuple[classes.Classes, Filer, list[tuple[str, dict[str, object]]]]


def test_a_thousand_posts_are_refused_and_a_teacher_is_not(school: School, handler: Handler) -> None:
    door, filer, told = handler
    evil = PersonKeys.generate("lee")
    junk = words.make_orders([session(school, "ana", evil)])
    answers = [status(door, words.ORDERS, junk) for _ in range(1000)]
    assert answers.count(403) == classes.BURST and answers.count(429) == 1000 - classes.BURST
    filer.look()
    assert told == [], "nothing of it was kept"
    good = words.make_orders([session(school, "ana")])
    assert status(door, words.ORDERS, good, "192.0.2.2") == 202
    filer.look()
    assert told == [("class-filed", {"by": ["lee"], "laptops": 1, "held": 0})]


def test_a_teachers_key_on_many_addresses_has_one_rate(school: School, handler: Handler) -> None:
    door, _, _ = handler
    good = words.make_orders([session(school, "ana")])
    answers = [status(door, words.ORDERS, good, f"192.0.2.{n}") for n in range(classes.TEACHER_BURST + 20)]
    assert answers.count(202) == classes.TEACHER_BURST and set(answers[-20:]) == {429}


def test_many_teachers_behind_one_address_come_in(school: School, handler: Handler) -> None:
    """As through a proxy, or where the building has one address."""
    door, _, _ = handler
    for who in ("lee", "kim"):
        asked = words.make_look(Look("", "", int(time.time())), key(school, who).sign)
        answers = [status(door, words.LOOK, asked) for _ in range(classes.BURST - 1)]
        assert set(answers) == {200}
    junk = [status(door, words.LOOK, b"x") for _ in range(classes.BURST + 1)]
    assert junk[-1] == 429 and junk.count(403) == classes.BURST, "the control"


@pytest.mark.parametrize("path", [words.LOOK, words.ORDERS])
def test_what_is_too_large_or_no_request_is_not_read(school: School, handler: Handler, path: str) -> None:
    door, _, _ = handler
    most = {words.LOOK: words.MOST_LOOK, words.ORDERS: words.MOST_POST}[path]
    assert status(door, path, b"x" * (most + 1)) == 413
    assert status(door, path, b"") == 413
    for junk in (b"x", b"{}", b'{"v":1}', b'{"v":2,"orders":[]}', b"[" * 4000, b'{"v":1,"orders":["!"]}'):
        assert status(door, path, junk) in (403, 202), junk
    assert status(door, "/class/other", b"x") == 404
    with pytest.raises(HttpError) as error:
        door.post(Request("POST", path, 1, {}))
    assert error.value.status == 411


def test_a_question_is_answered_to_its_teacher_and_now(school: School, handler: Handler) -> None:
    door, _, _ = handler
    at, lee = int(time.time()), key(school, "lee")
    seen = words.read_view(bytes(post(door, words.LOOK, words.make_look(Look("", "", at), lee.sign)).body))  # type: ignore[arg-type]
    assert [one.name for one in seen.rows] == ["ana", "ben"]
    assert status(door, words.LOOK, words.make_look(Look("", "", at - 200), lee.sign)) == 403
    stranger = PersonKeys.generate("lee")
    assert status(door, words.LOOK, words.make_look(Look("", "", at), stranger.sign)) == 403
    assert status(door, words.LOOK, words.make_look(Look("", "", at), key(school, "ict-1").sign)) == 403
    assert status(door, words.LOOK, session(school, "ana")) == 403, "an order is no question"
    asked = words.make_look(Look("", "", at), lee.sign)
    assert status(door, words.ORDERS, words.make_orders([asked])) == 403, "and a question no order"


@pytest.mark.soak
def test_the_repository_is_served_meanwhile(school: School) -> None:
    with serving(school.desk, "--quiet") as (_, told):
        line = https(school.desk, int(told["port"]))
        seen = []
        for _ in range(classes.BURST + 20):
            line.request("POST", words.ORDERS, body=b"x")
            answer = line.getresponse()
            answer.read()
            seen.append(answer.status)
            if answer.getheader("Connection") == "close":
                line.close()
        assert 429 in seen and set(seen) == {403, 429}
        line.request("GET", words.LOOK)
        answer = line.getresponse()
        answer.read()
        assert answer.status == 405
        line.close()
        line.request("GET", "/metadata/timestamp.json")
        assert line.getresponse().status == 200
        line.close()


def test_a_teacher_is_told_what_is_wrong_here(school: School, tmp_path: Path) -> None:
    told = school.teacher(1, "session", "who", "9b", who="nobody", expect=1)["error"]
    assert told["code"] == "bad-key"
    assert school.teacher(1, "session", "who", "9b", expect=1)["error"]["code"] == "network"
    with serving(school.desk, "--quiet") as (_, running):
        port = int(running["port"])
        other = tmp_path / "other"
        shutil.copytree(school.stick, other)
        shutil.copy(make_desk(tmp_path / "elsewhere").root / "ca.pem", other)
        known, school.stick = school.stick, other
        assert "certificate" in school.teacher(port, "session", "who", "9b", expect=1)["error"]["message"]
        school.stick = known
        school.teacher(port, "session", "who", "9b")
        (school.desk.root / "keys/online/timestamp.pem").unlink()
        held = school.teacher(port, "session", "start", "9b", "exam", "--for", "5m", expect=4)["held"]
        assert "could not publish" in held[0]["why"]


@contextlib.contextmanager
def answering(answer: Callable[[str, bytes], tuple[int, bytes]]) -> Iterator[str]:
    """A service that answers POSTs as ``answer`` says, and hangs up at a status of 0; its address."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            if not status:
                return
            self.send_response(status)
            kind, size = ("Content-Type", words.CONTENT_TYPE), ("Content-Length", str(len(body)))
            for name, value in (kind, size, ("Retry-After", "2")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_service_without_time_is_asked_again(school: School) -> None:
    """What was sent may be published already: to give up says nothing."""
    view = words.View("north", 1, int(time.time()), int(time.time()) + DAY, ())
    asked: list[str] = []
    paused: list[float] = []

    def busy(path: str, body: bytes) -> tuple[int, bytes]:
        asked.append(path)
        return (200, view.to_bytes()) if len(asked) > 3 else (429, b"not that often")

    with answering(busy) as url:
        room = Classroom(url, "", key(school, "lee"), lambda: int(time.time()), paused.append)
        assert room.look("", "") == view
        room.close()
    assert asked == [words.LOOK] * 4 and paused == [2.0] * 3


@pytest.mark.parametrize("back", [True, False])
def test_a_service_that_is_started_anew_meanwhile(school: School, back: bool) -> None:
    view = words.View("north", 1, int(time.time()), int(time.time()) + DAY, ())
    row = words.Row("ana", "ab" * 16, "cd" * 32, "9b")
    sent: list[str] = []
    looks: list[int] = []

    def service(path: str, body: bytes) -> tuple[int, bytes]:
        if path == words.ORDERS:
            sent.extend(parse_order(one).order.id for one in words.read_orders(body))
            return 202, b"taken"
        looks.append(1)
        if not back or len(looks) < 3:
            return 0, b""
        return 200, replace(view, rows=(replace(row, order=sent[0]),)).to_bytes()

    with answering(service) as url:
        room = Classroom(url, "", key(school, "lee"), lambda: int(time.time()), lambda seconds: None)
        filed = room.file(view, [row], orders.Wish("session", START, life=60), lambda more: None)
        room.close()
    assert (filed.published, filed.silent) == ((("ana",), ()) if back else ((), ("ana",)))
    assert set(sent) == {sent[0]}, "the same order again"
    with pytest.raises(BookbagError, match="cannot reach"):
        Classroom(url, "", key(school, "lee"), lambda: int(time.time()), lambda seconds: None).file(
            view, [row], orders.Wish("session", START, life=60), lambda more: None
        )


def test_what_could_not_be_published_does_not_come_later(school: School) -> None:
    """Its teacher was told so, and may have done something else since."""
    desk, at = school.desk, int(time.time())
    log = desk.root / "staged/log" / segment_name(0)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("{")
    with pytest.raises(BookbagError, match="cannot publish"):
        file_at(school, taken_now(school, "ana", at), at)
    log.unlink()
    desk.now = at + 1
    desk.run("refresh")
    assert school.sessions("ana") == []
    assert file_at(school, taken_now(school, "ana", at + 2), at + 2) == {}
    assert len(school.sessions("ana")) == 1, "the control"


def test_a_look_opens_no_receipts_of_long_ago(school: School) -> None:
    desk, chain = school.desk, Chain(school.laptops["ana"], school.desk)
    folder, record = Folder(desk.root), Folder(desk.root).device("ana")
    (desk.root / "returns").mkdir(exist_ok=True)
    for _ in range(3):
        name, data = chain.next()
        (desk.root / "returns" / name).write_bytes(data)
    desk.run("receipts", "--as", "ict-1")
    (desk.root / f"receipts/ana/{(record.device or '')[:8]}-000001.json").write_text("{")
    assert [one.n for one in receipts.last(folder, record, 2)] == [2, 3]
    with pytest.raises(BookbagError):
        receipts.last(folder, record, 3)


@pytest.mark.parametrize("what", ["orders/ana/session.json", "receipts/ana/{}-000001.json"])
def test_what_is_damaged_of_one_laptop_keeps_no_other_out(school: School, what: str) -> None:
    desk, at = school.desk, int(time.time())
    folder, door = Folder(desk.root), Door(Folder(desk.root), lambda: at)
    path = desk.root / what.format((folder.device("ana").device or "")[:8])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<<<<<<< HEAD")
    taken = door.take(words.make_orders([session(school, name, at=at) for name in ("ana", "ben")]))
    held = file_at(school, taken, at)
    published = {one.laptop: one.id for one in taken if one.id not in held}
    assert "ben" in published and len(school.sessions("ben")) == 1
    view = door.look(words.make_look(Look("9b", "", at), key(school, "lee").sign), {})
    assert {one.name: one.order for one in view.rows if one.order} == published
    assert list(held) == [one.id for one in taken if one.laptop == "ana" and "orders" in what]
