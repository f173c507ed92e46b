"""What is arranged for one student, at the desk: signed, sealed, listed, ended; nobody who reads the folder
or the host learns of it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from agent.core import jsontext
from agent.fleet import arranged, orders
from agent.fleet.cli.verbs import accommodate
from agent.fleet.cli.verbs.accommodate import TEMPLATES
from agent.fleet.folder import Folder
from agent.fleet.wanted import read_wanted
from agent.policy.arranging import value_of
from agent.trust import orderargs
from agent.trust.mailbox import open_mailbox
from agent.trust.orders import parse_order
from agent.trust.persons import KindRule
from tests.fleet.desk import DAY, Desk, Laptop, enrolled, make_desk
from tests.fleet.test_secrecy import forms

UNTIL = "2027-03-31"  # the desk's day is 2027-01-15
SET = ("--set", "accessibility.magnifier=3x", "--set", "input.layouts=[ara, us]")
CLOSED = "  accessibility.magnifier: {value: off, final: true}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Laptop]:
    """A site with one laptop, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("made")
    desk = make_desk(folder / "it")
    desk.publish()
    lap = enrolled(desk, folder, "lap-1")
    desk.publish("ict-1")
    return desk, lap


@pytest.fixture
def desk(made: tuple[Desk, Laptop], tmp_path: Path) -> Desk:
    return made[0].copy(tmp_path / "it")


@pytest.fixture
def lap(made: tuple[Desk, Laptop], tmp_path: Path) -> Laptop:
    shutil.copytree(made[1].folder, tmp_path / "lap-1")
    return replace(made[1], folder=tmp_path / "lap-1")


def arrange(desk: Desk, *more: str, expect: int = 0) -> str:
    ran = desk.run("accommodate", "lap-1", *more, "--as", "ict-1", expect=expect)
    return str(ran.value.get("id", "")) if not expect else ran.out + ran.err


def listed(desk: Desk) -> list[dict[str, object]]:
    found: list[dict[str, object]] = desk.run("accommodations", "--as", "ict-1").value["accommodations"]
    return found


def heard(desk: Desk, lap: Laptop) -> list[tuple[str, object]]:
    orders = lap.verify(desk.root / "published", desk.now).orders
    of = [one for one in orders if one.kind == "arrange"]
    return [(one.kind, {"settings": dict(orderargs.arrange_args(one).settings)}) for one in of]


def test_it_reaches_its_laptop_and_is_listed_with_the_days_left(desk: Desk, lap: Laptop) -> None:
    order = arrange(desk, *SET, "--until", UNTIL)
    desk.publish("ict-1")
    settings = {"accessibility.magnifier": "3x", "input.layouts": ["ara", "us"]}
    assert heard(desk, lap) == [("arrange", {"settings": settings})]
    (row,) = listed(desk)
    assert (row["device"], row["id"], row["settings"], row["until"]) == ("lap-1", order, settings, UNTIL)
    assert (row["days_left"], row["persons"], row["outcome"]) == (76, ["ict-1"], "")
    shown = desk.run("accommodations", "--as", "ict-1", as_json=False).out
    assert "accessibility.magnifier: 3x; input.layouts: ara, us" in shown and "no word yet" in shown


def test_neither_the_folder_nor_the_host_tells_what_or_to_whom(
    desk: Desk, lap: Laptop, tmp_path: Path
) -> None:
    """Sizes too: a laptop for which something is arranged has a mailbox like any other."""
    enrolled(desk, tmp_path, "lap-2")
    arrange(desk, *SET, "--until", UNTIL)
    desk.publish("ict-1")
    secrets = ("accessibility", "magnifier", "input.layouts")
    files = [one for one in desk.root.rglob("*") if one.is_file() and one.name != "policy.schema.json"]
    for path in files:
        data = path.read_bytes()
        assert not [one for one in secrets if any(form in data for form in forms(one))], path
    for path in (one for one in (desk.root / "published").rglob("*") if one.is_file()):
        assert not any(form in path.read_bytes() for form in forms("arrange")), path
    mails = list((desk.root / "published/targets/mail").iterdir())
    assert len({one.name.partition(".")[2] for one in mails}) == 2
    assert len({one.stat().st_size for one in mails}) == 1, "also as what it was before"
    opened = [open_mailbox(one.read_bytes(), lap.identity) for one in mails if _opens(one, lap)]
    assert sorted(map(len, opened))[-1] == 2, "the control: it does lie in the one"


def test_nothing_in_clear_proves_a_guess(desk: Desk, lap: Laptop) -> None:
    """The folder has the laptop's receipt, which tells the hash of the order, and all of the order but what
    is arranged, which whoever reads it can try: a few settings with a few values each."""
    settings = {"accessibility.magnifier": "3x"}
    arrange(desk, "--set", "accessibility.magnifier=3x", "--until", UNTIL)
    key = Folder(desk.root)
    sealed, record = arranged.read(key, "lap-1"), key.device("lap-1")
    assert sealed is not None
    desk.publish("ict-1")
    (order,) = [one for one in lap.verify(desk.root / "published", desk.now).orders if one.kind == "arrange"]

    def guess(args: object) -> str:
        told = {"v": 1, "kind": "arrange", "id": sealed.id, "site": "north", "device": sealed.device}
        more = {"serial_sha256": record.serial_sha256, "epoch": sealed.epoch, "slot": "arrange"}
        when = {"seq": sealed.seq, "issued": sealed.issued, "not_before": sealed.issued}
        rest = {"expires": sealed.expires, "grace_s": 0, "args": args, "reason": ""}
        return hashlib.sha256(jsontext.canonical({**told, **more, **when, **rest})).hexdigest()

    assert guess(dict(order.args)) == order.digest, "the control: nothing else is in it"
    for known in ({"settings": settings}, {"settings": settings, "until": sealed.expires}):
        assert guess(known) != order.digest
    assert not any(form in _file(desk).read_bytes() for form in forms(str(order.args["salt"])))


def test_a_shorter_one_reaches_a_laptop_that_still_has_the_longer_one(desk: Desk, lap: Laptop) -> None:
    arrange(desk, *SET, "--until", UNTIL)
    soon = "2027-01-31"
    arrange(desk, "--set", "accessibility.sticky-keys=on", "--until", soon)
    (row,) = listed(desk)
    assert (row["until"], row["days_left"]) == (soon, 17)
    desk.now += 30 * DAY  # it lay in a drawer
    desk.publish("ict-1")
    (order,) = [one for one in lap.verify(desk.root / "published", desk.now).orders if one.kind == "arrange"]
    assert orderargs.arrange_args(order).until < desk.now < order.expires
    assert listed(desk)[0]["days_left"] == 0
    arrange(desk, "--end")


def test_who_is_not_entitled_gives_it_no_effect(desk: Desk, lap: Laptop) -> None:
    trust = read_wanted(Folder(desk.root)).trust
    only = replace(trust, kinds=MappingProxyType({"arrange": KindRule(1, ("ict-1",))}))
    assert "ict" in accommodate._roles(only, ["ict-1"]) and accommodate._roles(only, ["head-1"]) == ()


def _opens(path: Path, lap: Laptop) -> bool:
    try:
        open_mailbox(path.read_bytes(), lap.identity)
    except Exception:
        return False
    return True


def test_a_template_is_a_beginning(desk: Desk, lap: Laptop) -> None:
    arrange(desk, "--like", "low-vision", "--set", "accessibility.magnifier=4x", "--until", UNTIL)
    (row,) = listed(desk)
    assert row["settings"] == {**TEMPLATES["low-vision"], "accessibility.magnifier": "4x"}
    for key, value in TEMPLATES["low-vision"].items():
        value_of(key, value)


def test_a_newer_one_takes_its_place_and_it_can_be_ended(desk: Desk, lap: Laptop) -> None:
    arrange(desk, *SET, "--until", UNTIL)
    arrange(desk, "--set", "accessibility.sticky-keys=on", "--until", UNTIL)
    desk.publish("ict-1")
    assert heard(desk, lap) == [("arrange", {"settings": {"accessibility.sticky-keys": "on"}})]
    arrange(desk, "--end")
    desk.publish("ict-1")
    assert heard(desk, lap) == [("arrange", {"settings": {}})]
    (row,) = listed(desk)
    assert (row["settings"], row["until"]) == ({}, UNTIL), "as long as the one that it ends would go on"
    desk.now += 90 * DAY
    assert listed(desk) == [] and not (desk.root / "orders/lap-1/arrange.sealed").exists()
    assert "nothing is arranged" in arrange(desk, "--end", expect=1)


WRONG = (
    (("--set", "browser.homepage=x", "--until", UNTIL), "cannot arrange browser.homepage"),
    (("--set", "accessibility.magnifier=90x", "--until", UNTIL), "expected one of off, 2x"),
    (("--set", "accessibility.magnifier", "--until", UNTIL), "KEY=VALUE"),
    (("--set", "accessibility.magnifier=3x", "--until", "2029-01-01"), "within 400 days"),
    (("--set", "accessibility.magnifier=3x", "--until", "2027-01-01"), "within 400 days"),
    (("--set", "accessibility.magnifier=3x", "--until", "soon"), "2027-08-01"),
    (("--until", UNTIL), "cannot tell what"),
    (("--set", "accessibility.magnifier=3x", "--end"), "cannot tell what"),
)


def test_what_is_arranged_wrongly_changes_nothing(desk: Desk, lap: Laptop) -> None:
    before = sorted(one for one in desk.root.rglob("*") if one.is_file())
    for words, told in WRONG:
        assert told in arrange(desk, *words, expect=64), words
    assert sorted(one for one in desk.root.rglob("*") if one.is_file()) == before


def test_whose_policy_made_it_final_has_to_sign(desk: Desk, lap: Laptop) -> None:
    site = desk.root / "site.yaml"
    roles = "roles:\n  exams:\n    persons:\n      - head-1\n    ranks:\n      - school\n"
    site.write_text(site.read_text().replace("roles:\n", roles, 1))
    desk.policy("exam", role="exams", extra=CLOSED)
    told = arrange(desk, "--set", "accessibility.magnifier=3x", "--until", UNTIL, expect=1)
    assert "policy exam made its value final" in told and "somebody of exams has to sign" in told
    arrange(desk, "--set", "accessibility.magnifier=3x", "--until", UNTIL, "--as", "head-1")
    arrange(desk, "--set", "accessibility.text-size=large", "--until", UNTIL)


def test_as_many_persons_sign_as_the_site_asks_for_and_at_once(desk: Desk, lap: Laptop) -> None:
    record = json.loads(_file(desk).read_text()) if _file(desk).exists() else None
    assert record is None
    arrange(desk, *SET, "--until", UNTIL, "--as", "ict-2")
    (row,) = listed(desk)
    assert row["persons"] == ["ict-1", "ict-2"]
    assert (
        "cannot sign as nobody"
        in desk.run("accommodate", "lap-1", *SET, "--until", UNTIL, expect=64).out
        + desk.run("accommodate", "lap-1", *SET, "--until", UNTIL, expect=64).err
    )


def _file(desk: Desk) -> Path:
    return desk.root / "orders/lap-1/arrange.sealed"


def test_a_file_that_was_altered_in_git_is_said_and_stops_nothing_else(desk: Desk, lap: Laptop) -> None:
    arrange(desk, *SET, "--until", UNTIL)
    told = json.loads(_file(desk).read_text())
    assert len(base64.b64decode(told["order"])) == len(base64.b64decode(told["copy"])) == 3072
    good = _file(desk).read_text()
    _file(desk).write_text(json.dumps({**told, "copy": told["order"]}))
    ran = desk.run("accommodations", "--as", "ict-1", expect=4)
    assert ran.value["problems"] and "altered" in ran.value["problems"][0]
    _file(desk).write_text(json.dumps({**told, "order": "AAAA"}))
    found = desk.run("check", expect=4).value["findings"]
    assert [one["place"] for one in found if one["place"].startswith("orders/")]
    arrange(desk, "--end", expect=1)
    arrange(desk, *SET, "--until", UNTIL)
    assert json.loads(_file(desk).read_text())["expires"] == desk.now + 400 * DAY, "whatever it was before"
    _file(desk).write_text(good)
    desk.run("check")


def test_it_goes_with_the_laptop_that_it_was_for(desk: Desk, lap: Laptop) -> None:
    arrange(desk, *SET, "--until", UNTIL)
    orders.forget(Folder(desk.root), "lap-1")
    assert not _file(desk).exists()


def test_the_order_inside_is_one_like_any_other(desk: Desk, lap: Laptop) -> None:
    arrange(desk, *SET, "--until", UNTIL)
    desk.publish("ict-1")
    mails = [one for one in (desk.root / "published/targets/mail").iterdir() if _opens(one, lap)]
    mail = max(mails, key=lambda one: one.stat().st_mtime_ns)
    kinds = []
    for envelope in open_mailbox(mail.read_bytes(), lap.identity):
        kinds.append("sealed" if envelope.startswith(b"BBS1") else parse_order(envelope).kind)
    assert sorted(kinds) == ["assign", "sealed"]
