"""Requests at the desk: what comes back is believed for nothing but its laptop's signature, and a yes is a
policy like any other, which must do what it says."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.core import returns
from agent.core.errors import BookbagError
from agent.fleet import asks as desk_asks
from agent.fleet import groups, policies
from agent.fleet.expected import Expected
from agent.fleet.folder import Folder
from agent.fleet.returnbox import LAPTOP_ASKS, MOST_ASK, ReturnBox
from agent.policy.compile import compile_site
from agent.policy.scheduling import At
from agent.trust import drafts, orderargs
from agent.trust.identity import mailbox_name
from tests.fleet.asking import CLOSED, boxed, request_of, send
from tests.fleet.desk import DAY, Desk, Laptop, deliver, enrolled, make_desk

ANSWER = ("asks", "answer", "--as", "ict-1")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Laptop]:
    """A site with a laptop in a class, made once."""
    top = tmp_path_factory.mktemp("school")
    desk = make_desk(top / "it")
    (desk.root / "policies/ict").mkdir(parents=True, exist_ok=True)
    (desk.root / "policies/ict/closed.yaml").write_text(CLOSED)
    desk.publish()
    laptop = enrolled(desk, top, "lap-1", "year=9", "class=9a")
    desk.publish("ict-1")
    return desk, laptop


@pytest.fixture
def desk(school: tuple[Desk, Laptop], tmp_path: Path) -> Desk:
    return school[0].copy(tmp_path / "it")


@pytest.fixture
def lap(school: tuple[Desk, Laptop], tmp_path: Path) -> Laptop:
    made = school[1]
    return replace(made, folder=Path(shutil.copytree(made.folder, tmp_path / "lap-1")))


def listed(desk: Desk, *more: str, expect: int = 0) -> list[dict[str, Any]]:
    found = desk.run("asks", *(("list", *more) if more else ()), "--as", "ict-1", expect=expect).value["asks"]
    assert isinstance(found, list)
    return found


def folder_state(desk: Desk) -> dict[str, bytes]:
    """Everything that an answer could write."""
    places = ("policies", "power", "orders", "devices")
    return {
        str(path): path.read_bytes()
        for top in places
        for path in (desk.root / top).rglob("*")
        if path.is_file()
    }


def refuse(desk: Desk, *words: str, code: str, says: str, expect: int = 1) -> None:
    """An answer that is refused before anything is written."""
    before = folder_state(desk)
    ran = desk.run(*ANSWER, *words, expect=expect)
    assert says in ran.err and f'"{code}"' in ran.out + ran.err, (ran.out, ran.err)
    assert folder_state(desk) == before


def test_listed_with_what_holds_now_and_who_decides_it(desk: Desk, lap: Laptop) -> None:
    site = send(lap, desk)
    other = send(lap, desk, kind=drafts.SETTING, about="screen-lock.after", address="", words="أقرأ ببطء")
    nothing = send(lap, desk, kind=drafts.SETTING, about="desktop.wallpaper", address="", words="")
    rows = {one["id"]: one for one in listed(desk)}
    assert set(rows) == {site.id, other.id, nothing.id}
    assert rows[site.id] == {
        "id": site.id, "device": "lap-1", "class": "9a", "kind": "open-site", "about": "",
        "address": "casino.example", "words": "for maths", "at": desk.now,
        "now": "closed by casino.example", "decided_by": "closed", "answer": None,
    }  # fmt: skip
    assert (rows[other.id]["now"], rows[other.id]["words"]) == ("10m", "أقرأ ببطء")
    assert (rows[nothing.id]["now"], rows[nothing.id]["decided_by"]) == ("", "")
    text = desk.run("asks", "--as", "ict-1", as_json=False).out
    assert "casino.example" in text and site.id[:8] in text and "not set" in text


def test_in_the_folder_it_stays_sealed(desk: Desk, lap: Laptop) -> None:
    request = send(lap, desk, words="something private")
    listed(desk)
    kept = desk.root / f"asks/lap-1/{request.id}.sealed"
    assert kept.exists() and not list((desk.root / "returns").glob("ask-*"))
    for path in desk.root.rglob("*"):
        assert path.is_dir() or b"something private" not in path.read_bytes(), path


def test_a_yes_to_a_site_is_a_policy_of_that_laptop_alone(desk: Desk, lap: Laptop) -> None:
    request = send(lap, desk)
    words = ("--yes", "--text", "For the exam", "--text", "ar=للامتحان", "--until", "2027-06-30")
    said = desk.run(*ANSWER, request.id[:8], *words).value
    path = desk.root / said["policy"]
    text = path.read_text()
    assert path.parent.name in ("ict", "device", "it") or path.parent.is_dir()
    assert "rank: device" in text and lap.identity.id in text and 'review-by: "2027-06-30"' in text
    assert "casino.example" in text
    for private in ("for maths", "For the exam", "lap-1", "S-lap-1"):
        assert private not in text, "whoever reads the host learns nothing of it"
    plan = desk.run("plan", expect=2).value
    assert [change["devices"] for change in plan["changes"]] == [["lap-1"]], plan
    desk.publish("ict-1")
    view = lap.verify(desk.root / "published", desk.now)
    (order,) = [one for one in view.orders if one.kind == "reply"]
    reply = orderargs.reply_args(order)
    assert (reply.ask, reply.yes, reply.until) == (request.id, True, "2027-06-30")
    assert dict(reply.text) == {"en": "For the exam", "ar": "للامتحان"}
    assert f"{reply.policy}.yaml" == path.name
    assert any(one.path.endswith(path.name) for one in view.documents)
    assert listed(desk) == []
    (row,) = listed(desk, "--all")
    assert (row["answer"], row["now"], row["decided_by"]) == ("yes", "open", reply.policy)


def test_a_no_writes_no_policy_and_needs_a_reason(desk: Desk, lap: Laptop) -> None:
    request = send(lap, desk)
    refuse(desk, request.id, "--no", code="bad-argument", says="without a reason", expect=64)
    said = desk.run(*ANSWER, request.id, "--no", "--text", "Ask your teacher first").value
    assert said["policy"] is None and not list((desk.root / "policies").rglob("asked-*"))
    desk.publish("ict-1")
    orders = [one for one in lap.verify(desk.root / "published", desk.now).orders if one.kind == "reply"]
    assert orderargs.reply_args(orders[0]).yes is False
    assert listed(desk, "--all")[0]["reply"]["text"] == {"en": "Ask your teacher first"}


def test_a_changed_mind_takes_the_policy_away_again(desk: Desk, lap: Laptop) -> None:
    request = send(lap, desk)
    path = desk.root / desk.run(*ANSWER, request.id, "--yes").value["policy"]
    assert path.exists()
    desk.now += 60
    said = desk.run(*ANSWER, request.id, "--no", "--text", "It is no site for maths").value
    assert said["withdrawn"] == [str(path.relative_to(desk.root))] and not path.exists()
    assert listed(desk, "--all")[0]["answer"] == "no"


def test_for_the_class_and_for_all_the_text_is_the_reason_that_everybody_reads(
    desk: Desk, lap: Laptop
) -> None:
    request = send(lap, desk)
    said = desk.run(*ANSWER, request.id, "--yes", "--for", "class", "--text", "We read odds in class").value
    text = (desk.root / said["policy"]).read_text()
    assert "rank: class" in text and 'class:\n    - "9a"' in text and "We read odds in class" in text
    desk.now += 60
    said = desk.run(*ANSWER, request.id, "--yes", "--for", "all").value
    text = (desk.root / said["policy"]).read_text()
    assert "rank: school" in text and "applies-to" not in text
    assert lap.identity.id not in text, "nobody learns who asked"


def test_a_yes_to_a_setting_needs_a_value_which_must_come_to_hold(desk: Desk, lap: Laptop) -> None:
    request = send(lap, desk, kind=drafts.SETTING, about="browser.homepage", address="")
    refuse(desk, request.id, "--yes", code="bad-argument", says="what the setting shall be", expect=64)
    refuse(desk, request.id, "--yes", "--value", "[1", code="bad-policy", says="cannot say yes")
    refuse(desk, request.id, "--yes", "--value", "a\nb: c", code="bad-argument", says="one line", expect=64)
    said = desk.run(*ANSWER, request.id, "--yes", "--value", "https://mine.example/")
    assert "value: https://mine.example/" in (desk.root / said.value["policy"]).read_text()
    assert listed(desk, "--all")[0]["now"] == "https://mine.example/"


@pytest.mark.parametrize(
    ("mended", "says"),
    [
        (("[casino.example, games.example]", "{value: [casino.example], final: true}"), "final"),
        (("browser.blocked-sites: [casino.example, games.example]", ""), "no policy closes it"),
        (("[casino.example, games.example]", "[games.example/arcade]"), "no policy closes it"),
    ],
)
def test_what_a_yes_cannot_bring_about_is_told_before_anything_is_written(
    desk: Desk, lap: Laptop, mended: tuple[str, str], says: str
) -> None:
    request = send(lap, desk)
    (desk.root / "policies/ict/closed.yaml").write_text(CLOSED.replace(*mended))
    code = "already-done" if "closes" in says else "not-allowed"
    refuse(desk, request.id, "--yes", code=code, says=says)


def test_final_and_stricter_policies_forbid_a_value(desk: Desk, lap: Laptop) -> None:
    path = desk.root / "policies/ict/closed.yaml"
    final = "browser.homepage: {value: https://north.example/, final: true}"
    path.write_text(CLOSED.replace("browser.homepage: https://north.example/", final))
    page = send(lap, desk, kind=drafts.SETTING, about="browser.homepage", address="")
    words = (page.id, "--yes", "--value", "https://mine.example/")
    refuse(desk, *words, code="not-allowed", says="closed made its value final")
    line = send(lap, desk, kind=drafts.SETTING, about="desktop.command-line", address="")
    refuse(desk, line.id, "--yes", "--value", "allowed", code="not-allowed", says="closed is stricter")
    path.write_text(CLOSED)
    desk.run(*ANSWER, *words)


def test_what_no_policy_may_write_is_told(desk: Desk, lap: Laptop) -> None:
    for about in ("file:/etc/motd", "no.such-setting", "settings: {}"):
        request = send(lap, desk, kind=drafts.SETTING, about=about, address="")
        refuse(desk, request.id, "--yes", "--value", "x", code="bad-policy", says="cannot say yes")


def test_who_has_no_role_for_it_cannot_say_yes(desk: Desk, lap: Laptop) -> None:
    request = send(lap, desk)
    site = desk.root / "site.yaml"
    site.write_text(site.read_text().replace("      - device\n", ""))
    refuse(desk, request.id, "--yes", code="not-allowed", says="no role of theirs speaks for rank device")
    refuse(desk, request.id, "--yes", "--role", "nobody", code="not-allowed", says="no role")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--yes", "--until", "tomorrow"), "cannot understand --until"),
        (("--yes", "--until", "2020-01-01"), "that day is over"),
        (("--yes", "--until", "2027-02-30"), "cannot understand --until"),
        (("--yes", "--until", "2099-01-01"), "five years"),
        (("--yes", "--value", "x"), "only a yes about a setting"),
        (("--no", "--text", "x", "--until", "2029-01-01"), "with a no"),
    ],
)
def test_mistakes_on_the_command_line(desk: Desk, lap: Laptop, words: tuple[str, ...], says: str) -> None:
    request = send(lap, desk)
    ran = desk.run(*ANSWER, request.id, *words, expect=64)
    assert says in ran.err + ran.out


def test_an_answer_with_a_last_day_ends_by_itself_and_its_file_is_cleared_away(
    desk: Desk, lap: Laptop
) -> None:
    request = send(lap, desk)
    today = datetime.fromtimestamp(desk.now, UTC).date()
    said = desk.run(*ANSWER, request.id, "--yes", "--until", str(today + timedelta(days=70))).value
    folder = Folder(desk.root)
    facts = groups.facts("north", folder.device("lap-1"))
    sources = policies.sources(folder, folder.site())

    def opens(days: float) -> bool:
        moment = At(desk.now + int(days * DAY))
        return "browser.allowed-sites" in compile_site(sources, facts, None, moment).settings

    assert all(opens(days) for days in (0, 29, 30, 31, 32, 61, 62, 70))
    assert not opens(72.6) and not opens(200)
    desk.now += 80 * DAY
    other = send(lap, desk, address="games.example")
    swept = desk.run(*ANSWER, other.id, "--no", "--text", "no").value["withdrawn"]
    assert swept == [said["policy"]] and not (desk.root / said["policy"]).exists()


def test_an_id_must_be_clear(desk: Desk, lap: Laptop) -> None:
    send(lap, desk, id="abcd" + "0" * 28)
    send(lap, desk, id="abcd" + "1" * 28)
    refuse(desk, "abcd", "--yes", code="bad-argument", says="cannot tell which", expect=64)
    refuse(desk, "abc", "--yes", code="not-found", says="cannot find request")
    refuse(desk, "ffff", "--yes", code="not-found", says="cannot find request")


# -- what a stranger, a laptop gone bad, or a broken disk sends


def test_what_cannot_be_believed_is_refused_at_the_door_and_set_aside_behind_it(
    desk: Desk, lap: Laptop, tmp_path: Path
) -> None:
    other = enrolled(desk, tmp_path, "lap-2")
    good = request_of(lap, desk)
    name, data = boxed(lap, desk, good)
    theirs = boxed(other, desk, request_of(other, desk), name)[1]
    judge = Expected(Folder(desk.root), lambda: desk.now)
    assert judge.is_new(name, data), "the control"
    doors = {
        "another laptop's signature": (name, theirs),
        "another name": (f"{name[:-4]}ffff", data),
        "an altered box": (name, data[:-1] + bytes([data[-1] ^ 1])),
        "a bomb": (name, b"BBR1" + b"\0" * (MOST_ASK - 4)),
        "nothing": (name, b""),
    }
    for what, (wrong, sent) in doors.items():
        with pytest.raises(BookbagError) as refused:
            judge.is_new(wrong, sent)
        assert refused.value.code in ("bad-signature", "bad-envelope"), what
    stranger = f"{returns.ASK}{'0' * 32}-{'1' * 32}"
    assert not judge.expects(stranger) and not judge.expects("ask-x") and not judge.expects(f"{name}-1")

    inside = {
        "another site": request_of(lap, desk, site="south"),
        "words that drive a terminal": request_of(lap, desk, words="\x1b]0;x\x07"),
        "no site at all": request_of(lap, desk, address="<script>"),
    }
    for request in inside.values():
        deliver(desk, *boxed(lap, desk, request))
    bent, _ = boxed(lap, desk, request_of(lap, desk))
    deliver(desk, bent, boxed(lap, desk, good, bent)[1])  # another id inside
    deliver(desk, stranger, data)
    deliver(desk, name, data)
    os.symlink(desk.root / "site.yaml", desk.root / "returns" / f"{name[:-4]}eeee")
    ran = desk.run("asks", "--as", "ict-1", expect=4).value
    assert [one["id"] for one in ran["asks"]] == [good.id]
    assert len(ran["problems"]) == 6
    assert len(list((desk.root / "returns/refused").iterdir())) == 6
    assert [one["id"] for one in listed(desk)] == [good.id], "told of once"


def test_the_same_again_is_known_and_another_of_that_name_is_not_taken(desk: Desk, lap: Laptop) -> None:
    request = request_of(lap, desk)
    name, data = boxed(lap, desk, request)
    deliver(desk, name, data)
    listed(desk)
    judge = Expected(Folder(desk.root), lambda: desk.now)
    assert not judge.is_new(name, data)
    with pytest.raises(BookbagError) as refused:
        judge.is_new(name, boxed(lap, desk, request)[1])
    assert refused.value.code == "already-done"
    deliver(desk, name, data)  # the machine died before it was taken away
    assert [one["id"] for one in listed(desk)] == [request.id]


def test_one_laptop_has_so_much_room_and_takes_none_of_anybody_elses(desk: Desk, lap: Laptop) -> None:
    box = ReturnBox(str(desk.root / "returns"))
    mailbox = mailbox_name("north", lap.identity.id)
    for number in range(LAPTOP_ASKS.count):
        box.store(f"ask-{mailbox}-{number:032x}", b"x" * 100)
    with pytest.raises(BookbagError) as refused:
        box.store(f"ask-{mailbox}-{'f' * 32}", b"x")
    assert refused.value.code == "too-many"
    box.store(f"receipt-{mailbox}-1", b"x")
    box.store(f"ask-{'0' * 32}-{'f' * 32}", b"x")
    with pytest.raises(BookbagError) as refused:
        box.store(f"ask-{'1' * 32}-{'f' * 32}", b"x" * (MOST_ASK + 1))
    assert refused.value.code == "too-large"


def test_answered_ones_make_room_and_open_ones_do_not(
    desk: Desk, lap: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_asks, "MOST_KEPT", 2)
    first, _ = send(lap, desk), send(lap, desk, address="games.example")
    listed(desk)
    third = send(lap, desk, words="third")
    assert len(desk.run("asks", "--as", "ict-1", expect=4).value["problems"]) == 1
    desk.run(*ANSWER, first.id, "--no", "--text", "no")
    assert third.id in {one["id"] for one in listed(desk)}


def test_after_sixty_days_an_answer_waits_no_longer(desk: Desk, lap: Laptop) -> None:
    """Longer than a message, for a laptop may be away; and it keeps no message out of a full mailbox."""
    request = send(lap, desk)
    desk.run(*ANSWER, request.id, "--no", "--text", "no")
    desk.now += 59 * DAY
    desk.publish()
    assert [one.kind for one in lap.verify(desk.root / "published", desk.now).orders if one.kind == "reply"]


def test_a_stick_carries_requests_too(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    request = request_of(lap, desk)
    name, data = boxed(lap, desk, request)
    stick = tmp_path / "stick"
    (stick / "returns").mkdir(parents=True)
    (stick / "returns" / name).write_bytes(data)
    (stick / "returns" / f"{name[:-4]}ffff").write_bytes(data)
    desk.run("stick", str(stick), expect=None)
    assert [one["id"] for one in listed(desk)] == [request.id]
    assert list((stick / "returns").iterdir()) == []
