"""The school's roster at the desk: every mistake at once, first passwords on one sheet and nowhere else,
names sealed to the laptop that they are for.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.fleet import firstpassword, roster
from agent.fleet.folder import Folder, replace
from agent.policy.bases import roster as lines
from agent.policy.bases.roster import RosterLine
from tests.fleet.desk import Desk, Laptop, Ran, enrolled
from tests.fleet.test_secrecy import finds
from tests.fleet.test_secrets import file, opened

AS = ("--as", "ict-1")
HEAD = "login,name,laptop,class\n"
LINA = "canary-lina,Canary Haddad,lap-1,9a\n"


@pytest.fixture
def lap(desk: Desk, tmp_path: Path) -> Laptop:
    laptop = enrolled(desk, tmp_path, "lap-1", "year=9", "class=9a")
    desk.publish("ict-1")
    return laptop


def bring(desk: Desk, tmp_path: Path, text: str, sheet: str = "sheet.txt", *, expect: int | None = 0) -> Ran:
    (tmp_path / "roster.csv").write_bytes(text.encode("utf-8-sig"))
    words = ["roster", "import", str(tmp_path / "roster.csv"), "--sheet", str(tmp_path / sheet), *AS]
    return desk.run(*words, expect=expect)


def given(desk: Desk, laptop: Laptop) -> list[RosterLine]:
    """What the laptop has of it after the next word."""
    desk.publish("ict-1")
    return [lines.read(value) for name, value in opened(desk, laptop).items() if lines.is_slot(name)]


def passwords(path: Path) -> list[str]:
    return re.findall(r"password +(\S+)", path.read_text())


def test_an_account_is_given_once_and_its_password_is_on_the_sheet(
    desk: Desk, lap: Laptop, tmp_path: Path
) -> None:
    desk.run("secret", "set", "staff-wifi", "--file", file(tmp_path, "of the staff"))
    desk.run("secret", "give", "staff-wifi", "lap-1", *AS)
    ran = bring(desk, tmp_path, HEAD + LINA)
    sheet = tmp_path / "sheet.txt"
    assert sheet.stat().st_mode & 0o777 == 0o600
    (password,) = passwords(sheet)
    assert "Canary Haddad, 9a" in sheet.read_text()
    (line,) = given(desk, lap)
    assert (line.login, line.shown, line.word) == ("canary-lina", "Canary Haddad", "first")
    assert firstpassword.hashed(password, line.tag) == line.hashed
    assert opened(desk, lap)["staff-wifi"] == "of the staff", "the others stay"

    said = [ran, *(desk.run(*words, expect=None) for words in (["status"], ["check"], ["secret"], ["plan"]))]
    for word in ("canary-lina", "Canary", password, line.hashed):
        assert [one for one in said if word in one.out + one.err] == []
        assert finds(desk.root, word) == [], "neither in the folder nor in what is published"

    assert bring(desk, tmp_path, HEAD + LINA, "again.txt").value["orders"] == [], "it has it"
    assert not (tmp_path / "again.txt").exists()
    desk.now += 60
    desk.run("secret", "set", "staff-wifi", "--file", file(tmp_path, "a newer one"), *AS)
    assert given(desk, lap) == [line], "another secret takes no account away"
    (row,) = desk.run("roster", *AS).value["accounts"]
    assert row == {"laptop": "lap-1", "login": "canary-lina", "name": "Canary Haddad", "given": True}
    assert "as nobody" in desk.run("roster", expect=64).err


def test_a_list_is_the_whole_truth_of_its_laptops(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    bring(desk, tmp_path, HEAD + LINA + "sami,سامي,lap-1,9a\n", "one.html")
    page = (tmp_path / "one.html").read_text()
    assert "<!doctype html>" in page and "سامي" in page
    before = {one.login: one for one in given(desk, lap)}
    assert set(before) == {"canary-lina", "sami"}
    desk.now += 60
    bring(desk, tmp_path, 'login;name;laptop\nsami;"Sami & Co";lap-1\nnour;Nour;lap-1\n', "two.html")
    page = (tmp_path / "two.html").read_text()
    assert "Nour" in page and "Sami" not in page, "who had one keeps it"
    after = {one.login: one for one in given(desk, lap)}
    assert set(after) == {"sami", "nour"}
    assert after["sami"] == RosterLine("sami", "Sami & Co", "first", before["sami"].hashed)


def test_a_forgotten_password_and_a_student_who_leaves(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    bring(desk, tmp_path, HEAD + LINA)
    (first,) = given(desk, lap)
    desk.now += 60
    words = ["roster", "reset", "lap-1", "canary-lina", "--sheet"]
    assert "something is there" in desk.run(*words, str(tmp_path / "sheet.txt"), *AS, expect=64).err
    inside = str(desk.root / "sheet.txt")
    assert "into IT's folder" in desk.run(*words, inside, *AS, expect=64).err
    assert not Path(inside).exists()
    desk.run("roster", "reset", "lap-1", "nobody", "--sheet", str(tmp_path / "no"), *AS, expect=1)
    desk.run(*words, str(tmp_path / "reset.txt"), *AS)
    (password,) = passwords(tmp_path / "reset.txt")
    (line,) = given(desk, lap)
    assert (line.word, firstpassword.hashed(password, line.tag)) == ("reset", line.hashed)
    assert line.hashed != first.hashed
    desk.now += 60
    desk.run("roster", "remove", "lap-1", "canary-lina", *AS)
    assert given(desk, lap) == []
    desk.run("roster", "remove", "lap-1", *AS, expect=1)


def test_every_mistake_of_a_list_is_told_at_once(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    wrong = (
        "root,Root,lap-1,9a\n"
        "../etc,X,lap-1,9a\n"
        "Lina,X,lap-1,9a\n"
        f"{'a' * 33},X,lap-1,9a\n"
        "ли,X,lap-1,9a\n"
        "a,,lap-1,9a\n"
        'b,"Haddad, Lina",lap-1,9a\n'
        "c,Bi\u202edi,lap-1,9a\n"
        f"d,{'ل' * 61},lap-1,9a\n"
        "e,E,lap-7,9a\n"
        "f,F,lap-1,9b\n"
        "bookbag-x,G,lap-1,9a\n"
        "h,H,lap-1\n"
        "a,A,lap-1,9a\n"
        "docker,D,lap-1,9a\n"
    )
    ran = bring(desk, tmp_path, HEAD + LINA + wrong, expect=4)
    found = {int(one["place"].rpartition(":")[2]): one["message"] for one in ran.value["findings"]}
    assert set(found) == set(range(3, 18)), "every one, by its line; the good one is none"
    assert found[16].endswith("stands in line 8 already") and "class 9a" in found[13]
    assert not (tmp_path / "sheet.txt").exists() and given_nothing(desk)
    for text in ("", "login,name\n", "login,name,laptop,password\n", HEAD, "login,name,laptop,login\n"):
        assert bring(desk, tmp_path, text, expect=None).code in (1, 4, 64)
    crowd = "".join(f"p{n},P {n},lap-1,9a\n" for n in range(17))
    (one,) = bring(desk, tmp_path, HEAD + crowd, expect=4).value["findings"]
    assert one["place"].endswith(":18") and "more than 16" in one["message"]


def given_nothing(desk: Desk) -> bool:
    return not desk.run("roster", *AS).value["accounts"]


def test_a_laptop_of_no_class_yet_is_left_out_and_one_enrolled_anew_begins_anew(
    desk: Desk, lap: Laptop, tmp_path: Path
) -> None:
    desk.run("device", "lap-2")
    ran = bring(desk, tmp_path, HEAD + LINA + "sami,Sami,lap-2,\n")
    assert "lap-2" in ran.err and len(passwords(tmp_path / "sheet.txt")) == 1
    (first,) = given(desk, lap)
    folder = Folder(desk.root)
    anew = replace(folder.device("lap-1"), device="0" * 32)
    assert roster.record(folder, folder.device("lap-1")) is not None, "the control"
    assert roster.record(folder, anew) is None, "of its former life nothing counts"
    assert first.word == "first"


def test_a_file_of_another_laptop_is_not_taken_for_it(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    bring(desk, tmp_path, HEAD + LINA)
    kept = desk.root / "keys/roster/lap-1.yaml"
    assert kept.stat().st_mode & 0o777 == 0o600
    enrolled(desk, tmp_path, "lap-2", "year=9", "class=9a")
    other = Folder(desk.root).device("lap-2").device
    mine = Folder(desk.root).device("lap-1").device
    text = kept.read_text().replace("lap-1", "lap-2").replace(str(mine), str(other))
    (desk.root / "keys/roster/lap-2.yaml").write_text(text)
    assert "cannot open the accounts of lap-2" in desk.run("roster", *AS, expect=1).err


def test_a_sheet_that_another_wrote_meanwhile_is_not_written_over(
    desk: Desk, lap: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, sheet = firstpassword.make, tmp_path / "sheet.txt"

    def slowly() -> str:
        sheet.write_text("of another class")
        return make()

    with monkeypatch.context() as patched:
        patched.setattr(firstpassword, "make", slowly)
        assert "something is there" in bring(desk, tmp_path, HEAD + LINA, expect=64).err
    assert sheet.read_text() == "of another class" and given_nothing(desk)
    bring(desk, tmp_path, HEAD + LINA, "other.txt")
    assert len(passwords(tmp_path / "other.txt")) == 1, "the control"


def test_the_names_of_places_are_no_secrets_of_ones_own(desk: Desk, tmp_path: Path) -> None:
    words = ["secret", "set", "roster-1", "--file", file(tmp_path, "x")]
    assert "kept for accounts" in desk.run(*words, expect=64).err
    desk.run("secret", "set", "roster-x", "--file", file(tmp_path, "x"))


def test_check_says_who_will_wait_for_accounts(desk: Desk, lap: Laptop, tmp_path: Path) -> None:
    def notices() -> list[str]:
        found = desk.run("check", expect=None).value["findings"]
        return [f"{one['message']}: {one['remedy']}" for one in found if one["code"] == "awaited"]

    desk.policy("roster", power=True, extra="  accounts.roster: given\n")
    (one,) = notices()
    assert "none was given to lap-1: bookbag-fleet roster import" in one
    bring(desk, tmp_path, HEAD + LINA)
    assert notices() == []


def test_first_passwords_are_as_policies_ask() -> None:
    for _ in range(200):
        made = firstpassword.make()
        assert re.fullmatch("[bcdfghjkmnpqrstvwxyz3479]{4}(-[bcdfghjkmnpqrstvwxyz3479]{4}){2}", made)
        assert re.search("[a-z]", made) and re.search("[0-9]", made)
    assert len({firstpassword.make() for _ in range(200)}) == 200
