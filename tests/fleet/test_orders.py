"""Orders at the desk: given, signed by several at different times, logged, filed, answered, called off;
judged by a laptop's real verification."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from agent.core import exit_codes, returns
from agent.core.clock import day
from agent.core.errors import BookbagError
from agent.fleet import keyfile, onlinekeys, orders, publiclog
from agent.fleet.folder import Folder, replace
from agent.fleet.keyfile import PersonKeys
from agent.trust import floors, receipts, unlockcode
from agent.trust.commandlog import GENESIS, MOST_ENTRIES, CommandLog, LogEntry
from agent.trust.identity import mailbox_name
from agent.trust.keys import SealKey
from agent.trust.mailbox import MOST_ORDERS
from agent.trust.sealing import seal
from agent.trust.site.repository import SiteRepository
from agent.trust.view import Order, SiteView
from tests.fleet.chain import Chain
from tests.fleet.desk import DAY, PASSPHRASE, Desk, Laptop, deliver, enrolled

HOUR = 3600


@pytest.fixture
def lap(desk: Desk, tmp_path: Path) -> Laptop:
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9", "class=9a")
    desk.publish("ict-1")
    return laptop


def _see(desk: Desk, laptop: Laptop) -> SiteView:
    return laptop.verify(desk.root / "published", desk.now)


def _ordered(view: SiteView) -> list[Order]:
    """Without its assignment."""
    return [one for one in view.orders if one.kind != "assign"]


def _kinds(view: SiteView) -> list[str]:
    return sorted(one.kind for one in _ordered(view))


def _wipe(desk: Desk, *persons: str, expect: int = 0, name: str = "lap-1", more: tuple[str, ...] = ()) -> Any:
    who = [word for person in persons for word in ("--as", person)]
    ran = desk.run("wipe", name, "--reason", "stolen", "--yes", *who, *more, expect=expect)
    return ran.value["orders"][0] if expect == 0 else ran


def _person(desk: Desk, name: str) -> PersonKeys:
    return keyfile.unlock((desk.root / f"keys/{name}.json").read_bytes(), PASSPHRASE.encode(), place=name)


def _log(desk: Desk) -> list[dict[str, Any]]:
    path = desk.root / "orders/log.json"
    return list(json.loads(path.read_text())["entries"]) if path.exists() else []


def test_a_lock_reaches_the_laptop_with_its_words_and_its_line_in_the_public_log(
    desk: Desk, lap: Laptop
) -> None:
    words = ["--message", "Please bring me back", "--message", "de=Bitte zurückbringen"]
    given = desk.run("lock", "lap-1", *words, "--contact", "010 555", "--lost", "--as", "ict-1").value
    assert [(one["kind"], one["have"], one["needed"]) for one in given["orders"]] == [("lock", ["ict-1"], 1)]
    desk.publish("ict-1")
    (order,) = _ordered(_see(desk, lap))
    assert order.args == {
        "message": {"en": "Please bring me back", "de": "Bitte zurückbringen"},
        "contact": "010 555",
        "lost": True,
    }
    assert [(one["class"], one["sha256"]) for one in _log(desk)] == [("hold", order.digest)]
    # The log says nothing of which laptop: what is public names neither it nor its keys.
    public = b"".join(one.read_bytes() for one in (desk.root / "published").rglob("*log-*"))
    assert order.digest.encode() in public
    assert lap.identity.id.encode() not in public and b"lap-1" not in public


def test_the_newest_of_lock_and_unlock_is_what_counts(desk: Desk, lap: Laptop) -> None:
    desk.run("lock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    desk.run("unlock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    view = _see(desk, lap)
    assert [(one.kind, one.seq) for one in _ordered(view)] == [("unlock", 2)]
    assert {one.name for one in (desk.root / "orders/lap-1").iterdir()} == {"assign.json", "hold.json"}


def test_after_a_stolen_key_ran_the_numbers_up_the_laptop_hears_the_school_again(
    desk: Desk, lap: Laptop
) -> None:
    """Whose key it was is removed; that ends what the key signed, and the numbers that it used up."""
    folder, stolen = Folder(desk.root), _person(desk, "ict-2")
    record = folder.device("lap-1")
    run_up = replace(record, seqs=dict.fromkeys(("hold", "cancel", "message"), 989))
    wishes: dict[str, dict[str, object]] = {
        "unlock": {},
        "cancel": {"id": "0" * 32},
        "message": {"text": {"en": "x"}},
    }
    for kind, args in wishes.items():
        wish = orders.Wish(kind, args, life=7 * DAY)
        orders.keep(folder, [orders.sign(folder, run_up, wish, [stolen], now=desk.now)])
    folder.save_device(record)
    desk.publish("ict-1")
    assert [one.seq for one in _ordered(_see(desk, lap))] == [990, 990, 990]
    for path in (desk.root / "orders/lap-1").glob("*-*.json"):
        path.unlink()  # a thief would not leave them here
    desk.run("lock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    assert [one.code for one in _see(desk, lap).refusals] == ["replayed"]
    desk.run("person", "add", "ict-3")
    desk.run("person", "role", "ict", "ict-3")
    desk.run("person", "remove", "ict-2")
    site = (desk.root / "site.yaml").read_text()
    (desk.root / "site.yaml").write_text(site.replace("holders:\n", "holders:\n  - ict-3\n"))
    desk.run("assign", "--renew", "--as", "ict-1")
    desk.run("lock", "lap-1", "--as", "ict-1")
    desk.run("message", "lap-1", "--text", "x", "--as", "ict-1")
    wipe = _wipe(desk, "ict-1", "head-1")
    desk.run("cancel", wipe["id"], "--as", "ict-1")
    desk.publish("ict-1", "head-1", "ict-3")
    desk.now += 60
    view = _see(desk, lap)
    assert {(one.kind, one.seq, one.epoch) for one in view.orders} == {
        (kind, 1, 2) for kind in ("assign", "lock", "message", "wipe", "cancel")
    }
    assert view.assignment is not None and view.assignment.epoch == 2
    # And it goes on from there, also for a laptop that lost its memory.
    lap.lose_memory()
    desk.now += HOUR
    desk.run("refresh")
    assert _see(desk, lap).recovering_since
    desk.now += HOUR
    desk.run("readmit", "lap-1", "--as", "ict-1", "--as", "head-1")
    desk.run("unlock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1", "head-1", "ict-3")
    assert ("unlock", 2) in [(one.kind, one.seq) for one in _see(desk, lap).orders]


def test_a_wipe_waits_in_the_folder_for_its_second_person(desk: Desk, lap: Laptop) -> None:
    order = _wipe(desk, "ict-1")
    assert (order["have"], order["needed"], order["destructive"]) == (["ict-1"], 2, True)
    outcome = desk.publish("ict-1", expect=4)
    assert [(one["device"], one["kind"]) for one in outcome["lacking"]] == [("lap-1", "wipe")]
    assert _kinds(_see(desk, lap)) == [] and _log(desk) == []
    listed = desk.run("approve", "--list").value["orders"]
    assert [(one["device"], one["kind"], one["have"]) for one in listed] == [("lap-1", "wipe", ["ict-1"])]
    assert "wipe" in desk.run("approve", "--list", as_json=False).out
    # The same person again is not a second one.
    assert desk.run("approve", "lap-1", "--as", "ict-1").value["orders"] == []
    desk.now += 2 * HOUR
    text = desk.run("approve", "lap-1", "--as", "head-1", as_json=False).out
    assert "stolen" in text and "240 minutes" in text and "ict-1" in text
    desk.publish("ict-1")
    (found,) = _ordered(_see(desk, lap))
    assert (found.kind, found.persons, found.grace_s) == ("wipe", ("head-1", "ict-1"), floors.GRACE)
    assert [one["class"] for one in _log(desk)] == ["erase"]


def test_signing_what_is_staged_signs_no_order_in_passing(desk: Desk, lap: Laptop) -> None:
    _wipe(desk, "ict-1")
    desk.policy("ordinary")
    desk.publish("head-1", expect=4)
    desk.run("approve", "--as", "head-1", expect=None)
    assert [one["have"] for one in desk.run("approve", "--list").value["orders"]] == [["ict-1"]]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("wipe", "lap-1", "--yes", "--as", "ict-1"), "without a reason"),
        (("wipe", "lap-1", "--reason", "x", "--as", "ict-1"), "--yes"),
        (("wipe", "lap-1", "--reason", "x", "--yes"), "nobody"),
        (("wipe", "lap-1", "--reason", "x", "--yes", "--grace", "20d", "--as", "ict-1"), "14 days"),
        (("wipe", "lap-9", "--reason", "x", "--yes", "--as", "ict-1"), "lap-9"),
        (("lock", "lap-1", "--as", "nobody"), "nobody"),
        (("lock", "lap-1"), "nobody"),
        (("message", "lap-1", "--text", " ", "--as", "ict-1"), "empty"),
        (("message", "lap-1", "--text", "x" * 1001, "--as", "ict-1"), "1000"),
        (("message", "lap-1", "--text", "en=a", "--text", "en=b", "--as", "ict-1"), "two texts"),
        (("message", "--text", "x", "--as", "ict-1"), "which laptops"),
        (("message", "--to", "color=red", "--text", "x", "--as", "ict-1"), "--to"),
        (("message", "--to", "year=12", "--text", "x", "--as", "ict-1"), "year=12"),
        (("message", "lap-1", "--text", "x", "--days", "8", "--as", "ict-1"), "8 days"),
        (("cancel", "lap-1", "--as", "ict-1"), "nothing destructive"),
        (("cancel", "0" * 32, "--as", "ict-1"), "0" * 32),
        (("answer", "lap-1", "K7M2", "--as", "ict-1"), "8 letters"),
    ],
)
def test_what_is_asked_wrongly_changes_nothing(
    desk: Desk, lap: Laptop, argv: tuple[str, ...], says: str
) -> None:
    before = {path: path.read_bytes() for path in desk.root.rglob("*") if path.is_file()}
    ran = desk.run(*argv, expect=None, as_json=False)
    assert ran.code in (exit_codes.COULD_NOT_RUN, exit_codes.USAGE) and says in ran.err, (ran.code, ran.err)
    assert {path: path.read_bytes() for path in desk.root.rglob("*") if path.is_file()} == before


def test_messages_of_a_class_wait_side_by_side(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    other = enrolled(desk, tmp_path, "lap-2", "year=12")
    for text in ("Bring your book", "Museum on Friday"):
        desk.run("message", "--to", "year=9", "--text", text, "--as", "ict-1")
    desk.publish("ict-1")
    assert [one.args["text"] for one in _ordered(_see(desk, lap))] == [
        {"en": "Bring your book"},
        {"en": "Museum on Friday"},
    ]
    assert _kinds(_see(desk, other)) == []
    desk.now += 8 * DAY
    desk.publish("ict-1")
    assert _kinds(_see(desk, lap)) == []


def test_an_overfull_mailbox_leaves_out_the_oldest_messages_and_nothing_else(desk: Desk, lap: Laptop) -> None:
    wipe = _wipe(desk, "ict-1", "head-1")
    desk.run("cancel", wipe["id"], "--as", "ict-1")
    desk.run("lock", "lap-1", "--as", "ict-1")
    folder, signer = Folder(desk.root), _person(desk, "ict-1")
    for number in range(30):
        wish = orders.Wish("message", {"text": {"en": f"{number:02}"}}, life=7 * DAY)
        orders.give(folder, folder.device("lap-1"), wish, [signer], now=desk.now)
    outcome = desk.publish("ict-1", expect=4)
    assert [one["kind"] for one in outcome["lacking"]] == ["message", "message"]
    assert all("mailbox" in one["why"] for one in outcome["lacking"]) and outcome["notices"] == []
    view = _see(desk, lap)
    assert len(view.orders) == MOST_ORDERS == 32
    assert {"assign", "wipe", "cancel", "lock"} <= {one.kind for one in view.orders}
    said = [str(one.args["text"]) for one in view.orders if one.kind == "message"]
    assert said == [str({"en": f"{number:02}"}) for number in range(2, 30)]
    found = desk.run("check").value
    assert (found["errors"], [one["code"] for one in found["findings"]]) == (0, ["too-many"] * 2)
    assert "mailbox of lap-1" in desk.run("publish", expect=4, as_json=False).out
    outcomes = {one["id"]: one["outcome"] for one in desk.run("status", expect=None).value["orders"]}
    assert sum("is full" in one for one in outcomes.values()) == 2
    # Of what the laptop told, nothing has to be said any more.
    chain = Chain(lap, desk)
    for one in outcome["lacking"]:
        chain.tell("done", order=one["id"])
    desk.run("receipts", "--as", "ict-1")
    assert desk.publish("ict-1")["lacking"] == []
    assert desk.run("check").value["findings"] == []


def test_a_wipe_is_called_off_by_any_one_person(desk: Desk, lap: Laptop) -> None:
    order = _wipe(desk, "ict-1", "head-1")
    desk.publish("ict-1")
    desk.run("cancel", "lap-1", "--as", "ict-2")
    desk.publish("ict-1")
    view = _see(desk, lap)
    assert _kinds(view) == ["cancel", "wipe"]
    assert next(one.args for one in view.orders if one.kind == "cancel") == {"id": order["id"]}


def test_the_desk_brakes_as_laptops_do_and_goes_on_the_next_day(desk: Desk, tmp_path: Path) -> None:
    laptops = [enrolled(desk, tmp_path, f"lap-{n}") for n in range(4)]
    for number in range(4):
        _wipe(desk, "ict-1", "head-1", name=f"lap-{number}")
    outcome = desk.publish("ict-1", expect=4)
    (held,) = outcome["lacking"]
    assert held["device"] == "lap-3" and "in two days" in held["why"]
    assert [_kinds(_see(desk, one)) for one in laptops] == [["wipe"], ["wipe"], ["wipe"], []]
    desk.now += 2 * DAY
    assert desk.publish("ict-1")["lacking"] == []
    assert _kinds(_see(desk, laptops[3])) == ["wipe"]


def test_locks_beyond_the_brake_need_a_second_person(desk: Desk, tmp_path: Path) -> None:
    names = [f"lap-{n:02}" for n in range(11)]
    laptops = [enrolled(desk, tmp_path, name) for name in names]
    desk.run("lock", *names, "--as", "ict-1")
    (held,) = desk.publish("ict-1", expect=4)["lacking"]
    assert held["device"] == "lap-10" and "second person" in held["why"]
    # It has all signatures that its kind needs, so that approving must know of the brake too.
    assert desk.run("approve", "lap-10", "--as", "head-1").value["orders"] != []
    assert desk.publish("ict-1")["lacking"] == []
    assert _kinds(_see(desk, laptops[10])) == ["lock"]


def test_a_log_that_was_touched_stops_the_desk(desk: Desk, lap: Laptop) -> None:
    for verb in ("lock", "unlock", "lock"):
        desk.run(verb, "lap-1", "--as", "ict-1")
        desk.publish("ict-1")
    path = desk.root / "orders/log.json"
    value = json.loads(path.read_text())
    value["entries"][0]["sha256"] = "0" * 64
    path.write_text(json.dumps(value))
    ran = desk.run("publish", "--as", "ict-1", expect=4, as_json=False)
    assert "orders/log.json" in ran.out and "git" in ran.out


def test_a_full_log_stops_what_it_must_name_and_nothing_else_and_is_begun_anew(
    desk: Desk, lap: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = enrolled(desk, tmp_path, "lap-2")
    desk.publish("ict-1")
    desk.run("lock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    monkeypatch.setattr(publiclog, "MOST_ENTRIES", 2)
    assert [one["code"] for one in desk.run("check").value["findings"]] == []
    desk.run("lock", "lap-2", "--as", "ict-1")
    assert desk.publish("ict-1")["notices"] == []
    for verb in ("check", "status"):
        (told,) = desk.run(verb, expect=None).value["findings"]
        assert (told["code"], told["place"], told["blocks"]) == ("too-many", "orders/log.json", False)
        assert "is full" in told["message"] and "rotate online" in told["remedy"]
    log = (desk.root / "orders/log.json").read_bytes()
    _wipe(desk, "ict-1", "head-1")
    desk.run("unlock", "lap-2", "--as", "ict-1")
    desk.run("message", "lap-1", "--text", "x", "--as", "ict-1")
    desk.run("cancel", "0" * 32, "--as", "ict-1", expect=1)
    outcome = desk.publish("ict-1", expect=4)
    (held,) = outcome["lacking"]
    assert (held["device"], held["kind"]) == ("lap-1", "wipe") and "is full" in held["why"]
    assert [one["code"] for one in outcome["notices"]] == ["too-many"]
    assert (desk.root / "orders/log.json").read_bytes() == log, "nothing was written that laptops refuse"
    assert (_kinds(_see(desk, lap)), _kinds(_see(desk, other))) == (["lock", "message"], ["unlock"])
    # As it is told: a new log, which two persons vouch for.
    (desk.root / "orders/log.json").rename(tmp_path / "log.json")
    desk.run("rotate", "online")
    desk.now += 60
    assert desk.publish("ict-1", "head-1")["lacking"] == []
    view = _see(desk, lap)
    assert {"lock", "wipe"} <= set(_kinds(view)) and view.refusals == ()
    assert view.log_head[0] == 2 and desk.run("check", expect=None).value["findings"][0]["code"] == "too-many"


def test_the_desk_warns_before_its_log_is_full_and_reads_a_full_one(desk: Desk) -> None:
    log = CommandLog()
    entries: list[LogEntry] = []
    for n in range(1, MOST_ENTRIES + 1):
        prev = entries[-1].hash if entries else GENESIS
        entries.append(LogEntry(n, prev, f"{n:064x}", floors.HOLD, desk.now // DAY))
        if n in (MOST_ENTRIES * 4 // 5, MOST_ENTRIES * 4 // 5 + 1):
            log = CommandLog(tuple(entries))
            assert bool(list(publiclog.check(log))) == (n > MOST_ENTRIES * 4 // 5), n
    log = CommandLog(tuple(entries))
    publiclog.write(Folder(desk.root), log)
    assert publiclog.read(Folder(desk.root)) == log
    assert [one.message for one in publiclog.check(log)] == [
        "the log of orders is full: 16384 of 16384 entries are used"
    ]


def test_an_answer_by_telephone_opens_that_laptop_only(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    enrolled(desk, tmp_path, "lap-2")
    challenge = unlockcode.new_challenge()
    shown = unlockcode.shown(challenge)
    key, device = lap.identity.unlock_key, lap.identity.id
    right = unlockcode.answer(key, device, challenge)
    # In lower case and in pieces, as it is typed; by any person.
    for person in ("ict-1", "head-1"):
        assert desk.run("answer", "lap-1", *shown.lower().split("-"), "--as", person).value["code"] == right
    assert desk.run("answer", "lap-2", shown, "--as", "ict-1").value["code"] != right
    assert right[:5] in desk.run("answer", "lap-1", shown, "--as", "ict-1", as_json=False).out
    wrong = shown[:2] + ("A" if shown[2] != "A" else "B") + shown[3:]
    assert "wrong" in desk.run("answer", "lap-1", wrong, "--as", "ict-1", expect=64, as_json=False).err
    shutil.rmtree(desk.root / "escrow/lap-1")
    assert "unlock key" in desk.run("answer", "lap-1", shown, "--as", "ict-1", expect=1, as_json=False).err


def test_a_laptop_without_memory_is_let_back_in(desk: Desk, lap: Laptop) -> None:
    desk.policy("ordinary")
    desk.run("lock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    assert _kinds(_see(desk, lap)) == ["lock"]
    lap.lose_memory()
    desk.now += HOUR
    with pytest.raises(BookbagError, match="readmit the laptop"):
        _see(desk, lap)
    desk.now += HOUR
    desk.run("refresh")
    assert _see(desk, lap).recovering_since
    desk.now += HOUR
    told = desk.run("readmit", "lap-1", "--as", "ict-1", "--as", "head-1").value
    assert {"policy-ict", "targets"} <= set(told["renewed"])
    assert len(told["former"]) == 1  # the lock
    desk.publish("ict-1", "head-1")
    view = _see(desk, lap)
    assert view.recovering_since == 0
    assert [one.path for one in view.documents] == ["policy/ict/ordinary.yaml"]
    assert view.assignment is not None and view.assignment.year == "9"
    assert [one.kind for one in view.refusals if one.code == "recovering"] == ["lock"]
    # What it is ordered from now on counts on from where it was.
    desk.run("unlock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    assert ("unlock", 2) in [(one.kind, one.seq) for one in _see(desk, lap).orders]


# -- receipts --------------------------------------------------------------------------------------------


def test_receipts_are_opened_kept_and_shown(desk: Desk, lap: Laptop) -> None:
    chain = Chain(lap, desk)
    chain.tell("armed")
    chain.tell()
    value = desk.run("receipts", "--as", "head-1").value
    assert [(one["device"], one["state"]) for one in value["receipts"]] == [
        ("lap-1", "armed"),
        ("lap-1", "done"),
    ]
    assert value["problems"] == []
    assert desk.run("receipts", "--as", "head-1").value["receipts"] == []
    assert len(desk.run("receipts", "lap-1", "--as", "ict-1").value["receipts"]) == 2
    kept = sorted((desk.root / "receipts/lap-1").iterdir())
    assert json.loads(kept[0].read_text())["state"] == "armed"


def test_of_an_erased_laptop_the_certificate_is_shown(desk: Desk, lap: Laptop) -> None:
    certificate: dict[str, object] = {
        "standard": "NIST SP 800-88r2",
        "ordered-by": ["ict-1", "head-1"],
        "erased-at": desk.now,
        "volumes": [{"name": "home", "slots-before": 2, "slots-after": 0}, {"name": "swap"}],
    }
    chain = Chain(lap, desk)
    chain.tell()
    chain.tell(kind="wipe", evidence=certificate)
    desk.run("receipts", "--as", "head-1")
    said = desk.run("receipts", "lap-1", "--as", "head-1", as_json=False).out
    _, _, shown = said.partition("Certificate of lap-1, receipt 2, ")
    assert [line.split() for line in shown.splitlines()[1:]] == [
        ["erased", "at", day(desk.now)],
        ["ordered", "by", "ict-1"],
        ["head-1"],
        ["standard", "NIST", "SP", "800-88r2"],
        ["volumes", "name", "home,", "slots", "after", "0,", "slots", "before", "2"],
        ["name", "swap"],
    ]
    told = desk.run("receipts", "lap-1", "--as", "head-1").value["receipts"]
    assert [one["evidence"] for one in told] == [{}, certificate]


def test_a_gap_in_the_receipts_is_told(desk: Desk, lap: Laptop) -> None:
    chain = Chain(lap, desk)
    chain.tell()
    chain.tell(deliver_it=False)
    chain.tell()
    value = desk.run("receipts", "--as", "ict-1", expect=4).value
    assert value["problems"] == ["lap-1: receipt 2 is missing"]


def test_forged_receipts_are_told_and_not_kept(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    other = enrolled(desk, tmp_path, "lap-2")
    forged = Chain(other, desk)
    name = forged.tell()
    (desk.root / "returns" / name).rename(
        desk.root / "returns" / receipts.return_name("north", lap.identity.id, 1)
    )
    deliver(desk, receipts.return_name("north", lap.identity.id, 2), b"\x00" * 200)
    deliver(desk, returns.RECEIPT + "f" * 32 + "-1", b"x")
    deliver(desk, returns.ENROL + "0" * 32, b"not mine to open here")
    problems = desk.run("receipts", "--as", "ict-1", expect=4).value["problems"]
    assert len(problems) == 3
    assert not (desk.root / "receipts").exists()


def test_two_laptops_that_were_shown_different_logs_tell_on_the_host(
    desk: Desk, lap: Laptop, tmp_path: Path
) -> None:
    other = enrolled(desk, tmp_path, "lap-2")
    Chain(lap, desk).tell(log=(3, "1" * 64))
    Chain(other, desk).tell(log=(3, "2" * 64))
    problems = desk.run("receipts", "--as", "ict-1", expect=4).value["problems"]
    assert len(problems) == 1
    assert problems[0].startswith("entry 3 of the log of orders is another one for lap-1, lap-2: ")
    assert "bookbag-fleet rotate online" in problems[0]


def test_a_kept_receipt_that_was_altered_in_git_is_refused(desk: Desk, lap: Laptop) -> None:
    Chain(lap, desk).tell()
    desk.run("receipts", "--as", "ict-1")
    (path,) = (desk.root / "receipts/lap-1").iterdir()
    value = json.loads(path.read_text())
    value["envelope"] = value["envelope"][:-8] + "AAAAAAA="
    path.write_text(json.dumps(value))
    ran = desk.run("receipts", "lap-1", "--as", "ict-1", expect=1, as_json=False)
    assert path.name in ran.err


def test_status_tells_what_came_of_each_order(desk: Desk, lap: Laptop) -> None:
    def outcome() -> str:
        value = desk.run("status", expect=None).value["orders"]
        return "".join(one["outcome"] for one in value if one["kind"] == "wipe")

    order = _wipe(desk, "ict-1")
    assert outcome() == "waits: it needs 2 persons, 1 signed"
    desk.run("approve", "lap-1", "--as", "head-1")
    desk.publish("ict-1")
    assert outcome() == "no word yet"
    Chain(lap, desk).tell("armed", order=order["id"])
    desk.run("receipts", "--as", "ict-1")
    assert outcome().startswith("armed on ")
    assert "armed on" in desk.run("status", expect=None, as_json=False).out


def test_after_a_takeover_new_online_keys_bring_the_laptops_back(desk: Desk, lap: Laptop) -> None:
    """Whoever had the online keys extended the log and filled the mailbox with something else."""
    desk.run("lock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    assert _kinds(_see(desk, lap)) == ["lock"]
    desk.now += HOUR
    online, repository = onlinekeys.load(Folder(desk.root)), SiteRepository.open(str(desk.root))
    repository.file_log(repository.log().extended("f" * 64, floors.ERASE, desk.now))
    box = mailbox_name("north", lap.identity.id)
    repository.file_mail(box, seal(b"theirs", SealKey.generate().public, purpose="mail"))
    repository.publish(online, at=desk.now)
    assert [one.code for one in _see(desk, lap).refusals] == ["bad-envelope"]
    desk.now += HOUR
    desk.run("unlock", "lap-1", "--as", "ict-1")
    ran = desk.run("publish", "--as", "ict-1", expect=1, as_json=False)
    assert "did not give" in ran.err and "rotate online" in ran.err
    desk.run("rotate", "online")
    desk.publish("ict-1", "head-1")
    view = _see(desk, lap)
    assert (_kinds(view), view.refusals) == (["unlock"], ())
    assert view.log_head[0] == 1 and repository.log().entries == publiclog.read(Folder(desk.root)).entries
    desk.run("lock", "lap-1", "--as", "ict-1")
    desk.publish("ict-1")
    assert _kinds(_see(desk, lap)) == ["lock"]
