"""A school's whole list of laptops at the desk: enrol files for all, assignments for those that came back, as
often as it is given; and nothing at all for a list with a mistake in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.fleet.laptoplist import MOST_BYTES, MOST_ROWS, Row, read_list
from tests.fleet import lists
from tests.fleet.desk import DAY, NOW, Desk, Laptop, deliver
from tests.fleet.lists import CLASS, come_back, states, write_list
from tests.powercut import every_prefix, kill_at_every

NAMES = tuple(row[0] for row in CLASS)


def everything(root: Path) -> dict[str, bytes]:
    """Every file of the folder, to see that nothing changed."""
    files = [path for path in root.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path): path.read_bytes() for path in files}


# -- the whole story


def test_a_class_from_spreadsheet_to_laptops(desk: Desk, tmp_path: Path) -> None:
    file = write_list(tmp_path / "class.csv", CLASS, separator=";", bom=True)
    made = desk.run("device", "--list", str(file)).value
    assert states(made) == dict.fromkeys(NAMES, "made")
    assert made["counts"] == {"made": 4}
    assert sorted(os.listdir(desk.root / "enrol")) == [f"enrol-{name}.json" for name in NAMES]
    laptops = come_back(desk, tmp_path, NAMES[:2])
    first = desk.run("assign", "--list", str(file), "--as", "ict-1").value
    assert states(first) == {"lap-0": "assigned", "lap-1": "assigned", "lap-2": "waiting", "lap-3": "waiting"}
    assert desk.publish("ict-1")["mailed"] == ["lap-0", "lap-1"]
    for laptop in laptops.values():
        assignment = laptop.verify(desk.root / "published", desk.now).assignment
        assert assignment is not None
        assert (assignment.school, assignment.year, assignment.class_) == ("north-high", "9", "9a")
    # more come back, one changes class, one leaves the list
    laptops |= come_back(desk, tmp_path, NAMES[2:])
    rows = [CLASS[0], (*CLASS[1][:4], "9b"), *CLASS[2:]]
    again = desk.run("assign", "--list", str(write_list(file, rows)), "--as", "head-1").value
    assert again["counts"] == {"same": 1, "assigned": 3}
    assert states(again)["lap-0"] == "same"
    assert desk.publish("ict-1")["mailed"] == ["lap-1", "lap-2", "lap-3"]
    view = laptops["lap-1"].verify(desk.root / "published", desk.now)
    assert view.assignment is not None and (view.assignment.class_, view.assignment.seq) == ("9b", 2)
    last = desk.run("assign", "--list", str(file), "--as", "ict-1").value
    assert last["counts"] == {"same": 4}
    assert desk.publish("ict-1")["mailed"] == []
    assert desk.run("check").value["findings"] == []
    for name, laptop in laptops.items():  # what a single `assign` leaves
        folder = Folder(desk.root)
        record = folder.device(name)
        assert record.device == laptop.identity.id and folder.token(record.token).used
        assert (desk.root / "returns/done" / f"enrol-{record.token}").exists()
        assert {one.name for one in (desk.root / "escrow" / name).iterdir()} == {
            f"{person}.sealed" for person in ("head-1", "ict-1", "ict-2")
        }


def test_who_is_refused_is_named_with_the_reason_and_stops_nobody(desk: Desk, tmp_path: Path) -> None:
    file = write_list(tmp_path / "class.csv", [*CLASS, ("lap-9", "", "", "", "")])
    desk.run("device", "--list", str(write_list(tmp_path / "made.csv", CLASS)))
    come_back(desk, tmp_path, ["lap-0", "lap-1"], lap_1="another-machine")
    clones = Laptop(tmp_path / "image")  # two laptops from one disk image, keys included
    for name in ("lap-2", "lap-3"):
        clones.serial = f"S-{name}"
        clones.generations = 0
        shutil.rmtree(clones.folder, ignore_errors=True)
        deliver(desk, *clones.enrol(desk, desk.root / "enrol" / f"enrol-{name}.json"))
    ran = desk.run("assign", "--list", str(file), "--as", "ict-1", expect=4)
    assert states(ran.value) == {
        "lap-0": "assigned", "lap-1": "refused", "lap-2": "assigned", "lap-3": "refused", "lap-9": "refused",
    }  # fmt: skip
    errors = {one["name"]: one["error"] for one in ran.value["devices"] if one["error"]}
    assert {name: error["code"] for name, error in errors.items()} == {
        "lap-1": "wrong-serial", "lap-3": "bad-signature", "lap-9": "not-found",
    }  # fmt: skip
    assert "its keys are those of lap-2" in errors["lap-3"]["message"]
    text = desk.run("assign", "--list", str(file), "--as", "ict-1", expect=4, as_json=False).out
    assert f"refused   lap-1 ({file}:3): cannot enrol lap-1: this is another machine" in text
    assert "what to do: the enrol file was used on the wrong laptop" in text
    assert "same      2" in text
    assert desk.publish("ict-1")["mailed"] == ["lap-0", "lap-2"]


def test_the_list_tells_the_serial_number_where_the_enrol_file_did_not(desk: Desk, tmp_path: Path) -> None:
    names = write_list(tmp_path / "names.csv", [(name,) for name in NAMES[:2]], head=["name"])
    desk.run("device", "--list", str(names))
    come_back(desk, tmp_path, NAMES[:2], lap_1="stolen")
    file = write_list(tmp_path / "l.csv", CLASS[:2])
    ran = desk.run("assign", "--list", str(file), "--as", "ict-1", expect=4)
    assert states(ran.value) == {"lap-0": "assigned", "lap-1": "refused"}
    # and of a laptop that is assigned already, another number is no small correction
    write_list(file, [("lap-0", "S-other", "north-high", "9", "9a")])
    ran = desk.run("assign", "--list", str(file), "--as", "ict-1", expect=4)
    assert ran.value["devices"][0]["error"]["code"] == "wrong-serial"


def test_columns_that_are_not_there_leave_what_is_and_empty_cells_clear_it(
    desk: Desk, tmp_path: Path
) -> None:
    desk.run("device", "--list", str(write_list(tmp_path / "l.csv", CLASS[:1])))
    come_back(desk, tmp_path, ["lap-0"])

    def assigned(head: list[str], row: list[str]) -> dict[str, str | None]:
        file = write_list(tmp_path / "l.csv", [row], head=head)
        found = desk.run("assign", "--list", str(file), "--as", "ict-1").value["devices"][0]
        record = Folder(desk.root).device("lap-0")
        assert found["groups"] == {"school": record.school, "year": record.year, "class": record.class_}
        return dict(found["groups"])

    assert assigned(["name"], ["lap-0"]) == {"school": "north", "year": None, "class": None}
    assert assigned(["class", "NAME"], ["9a", "lap-0"])["class"] == "9a"
    assert assigned(["school", "year", "name"], ["north-high", "9", "lap-0"]) == {
        "school": "north-high", "year": "9", "class": "9a",
    }  # fmt: skip
    assert assigned(["name", "year", "class"], ["lap-0", "", "9b"]) == {
        "school": "north-high", "year": None, "class": "9b",
    }  # fmt: skip
    assert assigned(["name", "school"], ["lap-0", ""])["school"] == "north"


def test_one_passphrase_and_one_slow_unlocking_for_all(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_list(tmp_path / "class.csv", CLASS)
    desk.run("device", "--list", str(file))
    come_back(desk, tmp_path, NAMES)
    spent: list[bytes] = []
    scrypt = hashlib.scrypt

    def counted(passphrase: bytes, **options: Any) -> bytes:
        spent.append(passphrase)
        return scrypt(passphrase, **options)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    assert desk.run("assign", "--list", str(file), "--as", "ict-1").value["counts"] == {"assigned": 4}
    assert len(spent) == 1


# -- given again


def test_enrol_files_that_can_still_be_used_stay(desk: Desk, tmp_path: Path) -> None:
    file = write_list(tmp_path / "class.csv", CLASS[:3])
    desk.run("device", "--list", str(file))
    before = everything(desk.root)
    assert desk.run("device", "--list", str(file)).value["counts"] == {"kept": 3}
    assert everything(desk.root) == before
    (desk.root / "enrol/enrol-lap-0.json").unlink()
    rows = [CLASS[0], ("lap-1", "S-corrected", *CLASS[1][2:]), CLASS[2], CLASS[3]]
    ran = desk.run("device", "--list", str(write_list(file, rows)))
    assert states(ran.value) == {"lap-0": "made", "lap-1": "made", "lap-2": "kept", "lap-3": "made"}
    text = desk.run("device", "--list", str(file), as_json=False).out
    assert "4 have an unused enrol file already" in text
    desk.now += 16 * DAY  # of thirty
    ran = desk.run("device", "--list", str(file), as_json=False)
    assert "Enrol files made: 4" in ran.out
    assert "no longer work for: lap-0, lap-1, lap-2, lap-3" in ran.out


def test_laptops_that_need_no_enrol_file_get_none(desk: Desk, tmp_path: Path) -> None:
    file = write_list(tmp_path / "class.csv", CLASS)
    desk.run("device", "--list", str(file))
    come_back(desk, tmp_path, NAMES[:3])
    desk.run("assign", "lap-0", "--as", "ict-1")
    desk.run("assign", "lap-1", "--as", "ict-1")
    desk.run("device", "lap-1", "--remove")
    before = everything(desk.root)
    assert states(desk.run("device", "--list", str(file)).value) == {
        "lap-0": "assigned", "lap-1": "retired", "lap-2": "pending", "lap-3": "kept",
    }  # fmt: skip
    assert everything(desk.root) == before
    assert states(desk.run("assign", "--list", str(file), "--as", "ict-1").value)["lap-1"] == "waiting"


def test_a_laptop_that_is_being_enrolled_anew_keeps_its_new_token(desk: Desk, tmp_path: Path) -> None:
    file = write_list(tmp_path / "class.csv", CLASS[:1])
    desk.run("device", "--list", str(file))
    come_back(desk, tmp_path, ["lap-0"])
    desk.run("assign", "--list", str(file), "--as", "ict-1")
    desk.run("device", "lap-0")  # its disk was replaced
    assert desk.run("assign", "--list", str(file), "--as", "ict-1").value["counts"] == {"same": 1}
    desk.run("assign", "lap-0", "class=9c", "--as", "ict-1")
    laptop = come_back(desk, tmp_path / "new", ["lap-0"])["lap-0"]
    assert desk.run("assign", "--list", str(file), "--as", "ict-1").value["counts"] == {"assigned": 1}
    desk.publish("ict-1")
    view = laptop.verify(desk.root / "published", desk.now)
    assert view.assignment is not None and view.assignment.class_ == "9a"


def test_assignments_of_an_epoch_that_is_over_are_signed_again(desk: Desk, tmp_path: Path) -> None:
    file = write_list(tmp_path / "class.csv", CLASS[:1])
    desk.run("device", "--list", str(file))
    come_back(desk, tmp_path, ["lap-0"])
    desk.run("assign", "--list", str(file), "--as", "ict-1")
    desk.run("person", "remove", "ict-2")
    assert desk.run("assign", "--list", str(file), "--as", "ict-1").value["counts"] == {"assigned": 1}


# -- what is no list

GOOD = "name,serial\nlap-0,S-0\n"
BAD: dict[str, tuple[bytes, str, int]] = {
    "nothing": (b"", "bad-list", 1),
    "only a header": (b"name,serial\n", "bad-list", 0),
    "no header": (b"lap-0,S-0\n", "bad-list", 1),
    "no names": (b"serial,year\nS-0,9\n", "bad-list", 1),
    "an unknown column": (b"name,serial,colour\nlap-0,S-0,red\n", "bad-list", 1),
    "a column without a name": (b"name,serial,\nlap-0,S-0,\n", "bad-list", 1),
    "a column twice": (b"name,serial,Serial\nlap-0,S-0,S-0\n", "bad-list", 1),
    "a name twice": (b"name,serial\nlap-0,S-0\nlap-1,S-1\nlap-0,S-2\n", "bad-list", 4),
    "a serial number twice": (b"name,serial\nlap-0,S-0\nlap-1,S-0\n", "bad-list", 3),
    "a cell too few": (b"name,serial,year\nlap-0,S-0,9\nlap-1,S-1\n", "bad-list", 3),
    "a cell too many": (b"name,serial\nlap-0,S-0\nlap-1,S-1,9\n", "bad-list", 3),
    "no name": (b"name,serial\nlap-0,S-0\n,S-1\n", "bad-list", 3),
    "a name with capitals": (b"name,serial\nlap-0,S-0\nLAP-1,S-1\n", "bad-list", 3),
    "a path": (b"name,serial\n../../etc/passwd,S-0\n", "bad-list", 2),
    "a formula": (b"name,serial\n\"=cmd|'/c calc'!A1\",S-0\n", "bad-list", 2),
    "a control character": (b"name,serial\nlap-0,S-\x07\n", "bad-list", 2),
    "a zero byte": (b"name,serial\nlap-0,S-\x00\n", "bad-list", 2),
    "a hidden mark": ("name,year\nlap-0,9\u202ea\n".encode(), "bad-list", 2),
    "a line in a cell": (b'name,serial\nlap-0,S-0\nlap-1,"S\n1"\nlap-2,S-2\n', "bad-list", 3),
    "tabs": (b"name\tserial\nlap-0\tS-0\n", "bad-list", 1),
    "an open quote": (b'name,serial\nlap-0,"S-0\nlap-1,S-1\n', "bad-list", 2),
    "words after a quote": (b'name,serial\nlap-0,"S"0\n', "bad-list", 2),
    "a long class": (b"name,class\nlap-0," + b"x" * 33 + b"\n", "bad-list", 2),
    "a long serial number": (b"name,serial\nlap-0," + b"1" * 65 + b"\n", "bad-list", 2),
    "an endless cell": (b"name,serial\nlap-0," + b"1" * 200_000 + b"\n", "bad-list", 2),
    "a school that is no name": (b"name,school\nlap-0,North High\n", "bad-list", 2),
    "another alphabet's bytes": (b"name,class\nlap-0,9\nlap-1,9\xe4\n", "bad-list", 3),
    "UTF-16": (GOOD.encode("utf-16"), "bad-list", 1),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "bad-list", 1),
    "too many laptops": (
        b"name\n" + b"".join(b"l-%d\n" % n for n in range(MOST_ROWS + 1)),
        "too-many",
        20_002,
    ),
    "too many bytes": (b"name\n" + b"\n" * MOST_BYTES, "too-large", 0),
    "quotes without end": (b"name\n" + b'"' * (1 << 20), "bad-list", 2),
}


@pytest.mark.parametrize("case", BAD)
def test_a_list_with_a_mistake_changes_nothing_and_says_where(desk: Desk, tmp_path: Path, case: str) -> None:
    data, code, line = BAD[case]
    file = tmp_path / "laptops.csv"
    file.write_bytes(data)
    before = everything(desk.root)
    for words in (("device", "--list", str(file)), ("assign", "--list", str(file), "--as", "ict-1")):
        error = desk.run(*words, expect=1).value["error"]
        assert (error["code"], error["place"]) == (code, f"{file}:{line}" if line else str(file))
        assert error["message"].startswith("cannot ") and error["remedy"]
    assert everything(desk.root) == before
    file.write_text(GOOD)
    assert desk.run("device", "--list", str(file)).value["counts"] == {"made": 1}


@pytest.mark.parametrize("kind", ["nothing", "folder", "fifo"])
def test_what_is_no_file_is_said_at_once(desk: Desk, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "laptops.csv"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    error = desk.run("device", "--list", str(path), expect=1).value["error"]
    assert error["code"] == ("not-found" if kind == "nothing" else "bad-path")


def test_a_list_goes_with_nothing_that_contradicts_it(desk: Desk, tmp_path: Path) -> None:
    file = str(write_list(tmp_path / "class.csv", CLASS))
    for words in (["lap-0"], ["--serial", "S"], ["--remove"]):
        desk.run("device", *words, "--list", file, expect=64)
    for words in (["lap-0"], ["--renew"]):
        desk.run("assign", *words, "--list", file, "--as", "ict-1", expect=64)
    desk.run("assign", "--list", file, expect=64)


def test_enrol_files_go_where_they_are_wanted(desk: Desk, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    file = write_list(tmp_path / "class.csv", CLASS)
    ran = desk.run("device", "--list", str(file), "--out", str(stick / "enrol"), "--days", "7")
    assert {Path(one["file"]).parent for one in ran.value["devices"]} == {stick / "enrol"}
    value = json.loads((stick / "enrol/enrol-lap-0.json").read_text())
    assert Folder(desk.root).token(value["token"]["id"]).expires == NOW + 7 * DAY
    assert (stick / "enrol/enrol-lap-0.json").stat().st_mode & 0o777 == 0o600


CELL = st.text(st.characters(categories=["L", "N", "P", "S"], codec="utf-8"), max_size=32)
ROWS = st.lists(
    st.tuples(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True), CELL, CELL, CELL),
    min_size=1, max_size=20, unique_by=(lambda row: row[0], lambda row: row[1] or object()),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(rows=ROWS, separator=st.sampled_from(",;"), bom=st.booleans(), order=st.permutations(range(4)))
def test_what_a_spreadsheet_writes_is_what_is_read(
    tmp_path: Path, rows: list[tuple[str, str, str, str]], separator: str, bom: bool, order: list[int]
) -> None:
    head = ("name", "serial", "year", "class")
    file = write_list(
        tmp_path / "any.csv",
        [[row[at] for at in order] for row in rows],
        head=[head[at] for at in order],
        separator=separator,
        bom=bom,
    )
    found = read_list(file)
    assert [(one.name, one.serial, one.groups["year"], one.groups["class"]) for one in found] == rows
    assert [one.line for one in found] == list(range(2, len(rows) + 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    data=st.one_of(st.binary(max_size=200), st.text("name,serial;\"\n\r 'aé9=-", max_size=80).map(str.encode))
)
def test_whatever_it_is_it_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "any.csv"
    file.write_bytes(data)
    try:
        rows = read_list(file)
    except BookbagError as error:
        assert error.place.startswith(str(file)), error
    else:
        assert all(isinstance(row, Row) for row in rows) and len({row.name for row in rows}) == len(rows)


# -- the desk's machine dies

needs_strace = pytest.mark.needs("strace")


def _invited(desk: Desk, tmp_path: Path) -> Path:
    start = tmp_path / "start"
    start.mkdir()
    desk.root.rename(start / "it")
    write_list(start / "laptops.csv", CLASS[:2])
    return start


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "power"])
def test_enrol_files_that_exist_work_wherever_the_desk_died(desk: Desk, tmp_path: Path, how: str) -> None:
    start = _invited(desk, tmp_path)

    def check(place: Path, said: str) -> None:
        it = Desk(place / "it")
        found = {name for name in NAMES[:2] if (it.root / "enrol" / f"enrol-{name}.json").exists()}
        assert "counts" not in said or len(found) == 2
        if found and not (place / "lap").exists():
            come_back(it, place / "lap", found)
        assert sum(it.run("device", "--list", str(place / "laptops.csv")).value["counts"].values()) == 2
        come_back(it, place / "lap2", set(NAMES[:2]) - found)
        ran = it.run("assign", "--list", str(place / "laptops.csv"), "--as", "ict-1")
        assert ran.value["counts"] == {"assigned": 2}

    if how == "killed":
        assert kill_at_every(lists.hand_out, start, check, most=10).points >= 8
    else:
        assert every_prefix(lists.hand_out, start, check, most=8).states >= 6


@pytest.mark.soak
@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "power"])
def test_assigning_goes_on_wherever_the_desk_died(desk: Desk, tmp_path: Path, how: str) -> None:
    start = _invited(desk, tmp_path)
    before = Desk(start / "it")
    before.run("device", "--list", str(start / "laptops.csv"))
    laptops = come_back(before, tmp_path / "laptops", NAMES[:2])

    def check(place: Path, said: str) -> None:
        it = Desk(place / "it")
        counts = it.run("assign", "--list", str(place / "laptops.csv"), "--as", "ict-1").value["counts"]
        assert sum(counts.values()) == 2 and set(counts) <= {"assigned", "same"}
        if "counts" in said:
            assert counts == {"same": 2}
        assert it.run("check").value["findings"] == []
        assert not list(it.root.rglob("*.tmp")), "drafts are left behind"
        it.publish("ict-1")
        for name, laptop in laptops.items():
            record = Folder(it.root).device(name)
            assert Folder(it.root).token(record.token).used
            assert not (it.root / "returns" / f"enrol-{record.token}").exists()
            assert len(list((it.root / "escrow" / name).iterdir())) == 3
            again = Laptop(place / name, laptop.serial, laptop.identity, laptop.root)
            view = again.verify(it.root / "published", it.now)
            assert view.assignment is not None and view.assignment.class_ == "9a"

    if how == "killed":
        assert kill_at_every(lists.assign_all, start, check, most=12).points >= 9
    else:
        assert every_prefix(lists.assign_all, start, check, most=10).states >= 7
