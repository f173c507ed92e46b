"""The golden files of IT's folder: read to these values, and written to these bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.fleet import arranged, filed, keyfile, orders, publiclog, receipts, roster, secrets
from agent.fleet.content import records
from agent.fleet.folder import Folder
from agent.fleet.laptoplist import read_list
from agent.fleet.records import RosterRecord
from agent.fleet.rosterlist import read_roster

GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "fleet"
HERE = Folder(GOLDEN)


def save_item(to: Folder, name: str) -> None:
    records.save(to, "library", records.load(HERE, "library", name))


def keep_receipt(to: Folder, laptop: str) -> None:
    (path,) = (GOLDEN / "receipts" / laptop).iterdir()
    value = json.loads(path.read_text())
    (receipt,) = receipts.read(HERE, laptop)
    receipts.keep(to, laptop, receipt, base64.b64decode(value["envelope"]), value["sent"])


@pytest.mark.parametrize(
    ("file", "copy"),
    [
        ("site.yaml", lambda to: to.save_site(HERE.site())),
        ("people/ict-1.yaml", lambda to: to.save_person(HERE.person("ict-1"))),
        ("teachers/lee.yaml", lambda to: to.save_teacher(HERE.teacher("lee"))),
        ("devices/lap-1.yaml", lambda to: to.save_device(HERE.device("lap-1"))),
        ("devices/lap-2.yaml", lambda to: to.save_device(HERE.device("lap-2"))),
        ("devices/lap-3.yaml", lambda to: to.save_device(HERE.device("lap-3"))),
        (
            "tokens/0123456789abcdef0123456789abcdef.yaml",
            lambda to: to.save_token(HERE.token("0123456789abcdef" * 2)),
        ),
        ("content/library/fractions.yaml", lambda to: save_item(to, "fractions")),
        ("content/library/map.yaml", lambda to: save_item(to, "map")),
        ("orders/filed.json", lambda to: filed.write(to, filed.read(HERE))),
        ("receipts/lap-3/c62f6185-000001.json", lambda to: keep_receipt(to, "lap-3")),
        (
            "keys/secrets/staff-wifi.yaml",
            lambda to: secrets.save(to, secrets.record(HERE, "staff-wifi")),
        ),
        (
            "keys/roster/lap-1.yaml",
            lambda to: roster.save(to, HERE.load(GOLDEN / "keys/roster/lap-1.yaml", RosterRecord)),
        ),
        ("orders/log.json", lambda to: publiclog.write(to, publiclog.read(HERE))),
    ],
)
def test_golden_files_survive_reading_and_writing(
    tmp_path: Path, file: str, copy: Callable[[Folder], None]
) -> None:
    copy(Folder(tmp_path))
    assert (tmp_path / file).read_bytes() == (GOLDEN / file).read_bytes()


def test_golden_values() -> None:
    site = HERE.site()
    assert (site.site, site.epoch, site.roles["ict"].power, site.roles["library"].power) == (
        "north",
        3,
        True,
        False,
    )
    assert site.roles["ict"].ranks == ("school", "year", "class", "device")
    laptop = HERE.device("lap-1")
    assert (laptop.school, laptop.year, laptop.class_, laptop.seq) == ("north-high", "9", "9a", 2)
    assert (laptop.seqs, HERE.device("lap-2").device) == ({"hold": 3, "message": 1}, None)


def test_a_laptops_numbers_begin_anew_in_a_new_epoch_and_go_on_where_nobody_noted_theirs(
    tmp_path: Path,
) -> None:
    unnoted = HERE.device("lap-1")
    assert unnoted.epoch is None
    noted = orders.counted_in(unnoted, 3)
    assert (noted.epoch, noted.seq, noted.seqs) == (3, 2, {"hold": 3, "message": 1})
    folder = Folder(tmp_path)
    folder.save_device(noted)
    assert folder.device("lap-1") == noted
    anew = orders.counted_in(noted, 4)
    assert (anew.epoch, anew.seq, anew.seqs) == (4, 0, {})
    assert [orders.next_seq(anew, kind) for kind in ("assign", "lock", "message")] == [1, 1, 1]


def test_a_golden_list_of_laptops() -> None:
    first, second, third = read_list(GOLDEN / "laptops.csv")
    assert (first.line, first.name, first.serial) == (2, "lap-1", "PF-1234")
    assert first.groups == {"year": "9", "class": "9a", "school": "north-high"}
    assert (second.serial, second.groups) == ("", {"year": "", "class": "", "school": ""})
    assert third.groups == {"year": "10, advanced", "class": "10 ä", "school": ""}


def test_a_golden_roster() -> None:
    rows, wrong = read_roster(GOLDEN / "roster.csv", {"lap-1": HERE.device("lap-1")})
    assert [(one.line, one.login, one.shown, one.laptop) for one in rows] == [
        (2, "lina", "Lina Haddad", "lap-1"),
        (4, "sami", "سامي", "lap-1"),
    ]
    assert wrong == ()


def test_a_golden_item_of_content() -> None:
    item = records.load(HERE, "library", "fractions")
    assert (item.title["ar"], item.grade, item.pin, item.version) == ("الكسور", ("5", "6"), True, 3)
    assert item.audience == {"year": ("5", "6"), "school": ("north-high",)}
    assert records.load(HERE, "library", "map").licence == ""


def test_a_site_from_before_there_was_content_is_read_and_nobody_edits_content(tmp_path: Path) -> None:
    text = (GOLDEN / "site.yaml").read_text()
    (tmp_path / "site.yaml").write_text(
        "".join(one for one in text.splitlines(True) if "content:" not in one)
    )
    assert [role.content for role in Folder(tmp_path).site().roles.values()] == [False, False]


def test_golden_orders_and_what_came_of_them() -> None:
    (order,) = orders.read_orders(HERE, "lap-3")
    sealed = arranged.read(HERE, "lap-3")
    assert sealed is not None and (sealed.seq, len(sealed.box), sealed.device) == (
        2,
        3072,
        order.draft.device,
    )
    assert (order.file, order.kind, order.draft.order.seq) == ("orders/lap-3/hold.json", "lock", 1)
    assert order.draft.order.args["contact"] == "010 555"
    (entry,) = publiclog.read(HERE).entries
    assert (entry.sha256, entry.class_) == (order.draft.order.digest, "hold")
    (receipt,) = receipts.read(HERE, "lap-3")
    assert (receipt.order, receipt.state, receipt.log_hash) == (
        order.id,
        "done",
        publiclog.read(HERE).head[1],
    )


def test_golden_keys_open_with_their_passphrase_and_from_paper() -> None:
    public = HERE.person("ict-1")
    opened = keyfile.unlock((GOLDEN / "keys/ict-1.json").read_bytes(), b"four random little words", place="x")
    assert (opened.sign.public.hex, opened.seal.public.hex) == (public.keys[0], public.seal_key)
    paper = keyfile.from_paper((GOLDEN / "keys/ict-1.paper.txt").read_text(), "ict-1", place="x")
    assert paper.sign.public == opened.sign.public


@pytest.mark.parametrize("change", [(b'"log2-n": 10', b'"log2-n": 11'), (b'"id": "ict-1"', b'"id": "ict-2"')])
def test_whatever_is_altered_in_a_key_file_is_noticed(change: tuple[bytes, bytes]) -> None:
    data = (GOLDEN / "keys/ict-1.json").read_bytes()
    assert change[0] in data
    with pytest.raises(BookbagError) as caught:
        keyfile.unlock(data.replace(*change), b"four random little words", place="x")
    assert caught.value.code == "bad-key"


def test_a_key_file_cannot_ask_for_all_memory() -> None:
    data = (GOLDEN / "keys/ict-1.json").read_bytes().replace(b'"log2-n": 10', b'"log2-n": 40')
    with pytest.raises(BookbagError) as caught:
        keyfile.unlock(data, b"x", place="x")
    assert "out of bounds" in caught.value.message
