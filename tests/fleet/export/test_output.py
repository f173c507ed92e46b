"""Who gets which file, and what is never written over."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.fleet.export import output
from agent.store import atomic
from tests.fleet.desk import Desk, enrolled
from tests.fleet.export.sites import on_linux, write

PAGE = "  browser.homepage: https://{}.example/\n"


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def homepage(file: Path) -> str:
    return str(json.loads(file.read_text())["HomepageLocation"])


@pytest.fixture(scope="module")
def made(public_site: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    tmp_path = tmp_path_factory.mktemp("school")
    desk = public_site.copy(tmp_path / "it")
    enrolled(desk, tmp_path, "lina", "school=north-high", "year=9", "class=9b")
    enrolled(desk, tmp_path, "omar", "school=north-high", "year=9", "class=9b")
    enrolled(desk, tmp_path, "mia", "school=north-high", "year=10")
    write(desk, "all", PAGE.format("all"))
    write(desk, "nine", PAGE.format("nine"), rank="year", head="applies-to: {year: 9}\n")
    write(desk, "hers", PAGE.format("hers"), rank="device", head="applies-to: {device: lina}\n")
    return desk


@pytest.fixture
def school(made: Desk, tmp_path: Path) -> Desk:
    return made.copy(tmp_path / "it")


def test_each_group_of_laptops_gets_its_file(school: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = school.run("export", "--output", str(out), "--format", "google").value
    nine, ten = "school-north-high_year-9_class-9b.google.json", "school-north-high_year-10.google.json"
    assert names(out) == ["export.json", ten, nine] and said["written"] == [ten, nine]
    assert homepage(out / nine) == "https://nine.example/" and homepage(out / ten) == "https://all.example/"
    assert on_linux(school, school="north-high", year="9")["Chrome"] == json.loads((out / nine).read_text())
    again = school.run("export", "--output", str(out), "--format", "google").value
    assert again["written"] == [] and again["kept"] == [ten, nine]


def test_a_group_or_a_laptop_is_asked_for(school: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["--for", "school=elsewhere,year=9", "--for", "device=lina"]
    school.run("export", "--output", str(out), "--format", "google", *asked)
    assert names(out) == ["device-lina.google.json", "export.json", "school-elsewhere_year-9.google.json"]
    assert homepage(out / "school-elsewhere_year-9.google.json") == "https://nine.example/"
    identity = next(one for one in (school.root / "devices").iterdir() if one.stem == "lina").read_text()
    assert "device" in identity
    for wrong in ("year", "year=", "yeer=9", "year=9,year=9", "device=lina,year=9", "device=nobody"):
        assert school.run("export", "--output", str(out), "--for", wrong, expect=None).code in (1, 64), wrong


def test_a_file_has_a_name_that_every_system_takes(school: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    wild = ["9/../../x", "9 B", "9b", "9B", "تاسع", "..", "con.txt", "a" * 32]
    asked = [word for one in wild for word in ("--for", f"class={one}")]
    school.run("export", "--output", str(out), "--format", "google", *asked)
    found = names(out)
    assert len(found) == len(wild) + 1 and len({one.lower() for one in found}) == len(found)
    assert all(one.isascii() and " " not in one and ".." not in one for one in found)
    assert names(tmp_path).count("x") == 0


def test_files_of_others_are_left_alone(school: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    school.run("export", "--output", str(out))
    before = {one.name: one.read_bytes() for one in out.iterdir()}
    (out / "remove.reg").write_text("somebody's own")
    write(school, "all", PAGE.format("new"))
    ran = school.run("export", "--output", str(out), expect=1)
    assert ran.value["error"]["code"] == "conflict" and "remove.reg" in ran.value["error"]["message"]
    now = {one.name: one.read_bytes() for one in out.iterdir()}
    assert now == {**before, "remove.reg": b"somebody's own"}, "all or nothing"
    (out / "remove.reg").unlink()
    school.run("export", "--output", str(out))
    assert (out / "notes.txt").read_text() == "mine" and (out / "remove.reg").exists()


def test_links_and_devices_are_not_followed(school: Desk, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    out.mkdir()
    victim.write_text("precious")
    for make in (lambda path: path.symlink_to(victim), lambda path: path.mkdir(), os.mkfifo):
        make(out / "remove.reg")
        assert school.run("export", "--output", str(out), expect=1).value["error"]["code"] == "conflict"
        (out / "remove.reg").rmdir() if (out / "remove.reg").is_dir() else (out / "remove.reg").unlink()
    (out / "export.json").symlink_to(victim)
    assert school.run("export", "--output", str(out), expect=1).value["error"]["code"] == "bad-path"
    assert victim.read_text() == "precious"
    (out / "export.json").unlink()
    school.run("export", "--output", str(out))


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"v": 1}', '{"v": 1, "files": {"../x": ["a"]}}', '{"v": 1, "files": {"x": "a"}}',
     '{"v": true, "files": {}}', '{"v": 1, "files": {"export.json": []}}', '{"v": 2, "files": {}}'],
)  # fmt: skip
def test_a_strange_list_is_refused(desk: Desk, tmp_path: Path, text: str) -> None:
    (tmp_path / "export.json").write_text(text)
    error = desk.run("export", "--output", str(tmp_path), "--format", "google", expect=1).value["error"]
    assert error["code"] in ("conflict", "bad-json", "format-too-new")
    assert (tmp_path / "export.json").read_text() == text


def test_a_group_that_is_gone_takes_its_file_along(school: Desk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    school.run("export", "--output", str(out))
    school.run("assign", "mia", "year=11", "--as", "ict-1")
    said = school.run("export", "--output", str(out), "--format", "reg").value
    assert said["removed"] == ["school-north-high_year-10.reg"]
    assert "school-north-high_year-10.intune.json" in names(out), "only of the form asked for"
    said = school.run("export", "--output", str(out), "--for", "year=9").value
    assert said["removed"] == [], "only when every group is written"
    (out / "school-north-high_year-10.intune.json").write_text("changed by hand")
    said = school.run("export", "--output", str(out), "--format", "intune").value
    assert said["removed"] == ["school-north_year-9.intune.json"]
    assert (out / "school-north-high_year-10.intune.json").read_text() == "changed by hand"


def test_its_own_folder_is_no_place_for_it(desk: Desk) -> None:
    for place in (".", "policies/ict", "published", "published/targets/x", "export/../policies"):
        error = desk.run("export", "--output", str(desk.root / place), expect=1).value["error"]
        assert error["code"] == "bad-path", place
    (desk.root / "export").symlink_to(desk.root / "published")
    desk.run("export", "--output", str(desk.root / "export"), expect=1)
    (desk.root / "export").unlink()
    desk.run("export", "--output", str(desk.root / "export"))


def test_a_folder_with_errors_exports_nothing(desk: Desk, tmp_path: Path) -> None:
    write(desk, "all", "  browser.homepage: nonsense\n")
    found = desk.run("export", "--output", str(tmp_path / "out"), expect=4).value
    assert found["findings"] and not (tmp_path / "out").exists()


def test_a_run_that_is_cut_off_can_be_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before each of its writes the machine may go off: the next run knows every file that lies there."""
    old, new = {"a.reg": b"old a", "b.reg": b"old b", "c.reg": b"c"}, {"a.reg": b"new a", "b.reg": b"new b"}

    class Off(Exception):
        pass

    real, left = atomic.write, [0]

    def write_or_die(path: str, data: bytes, *, mode: int) -> None:
        if not left[0]:
            raise Off
        left[0] -= 1
        real(path, data, mode=mode)

    for at in range(20):
        out = tmp_path / str(at)
        output.write(out, old, (".reg",))
        left[0] = at

        with monkeypatch.context() as patch:
            patch.setattr(atomic, "write", write_or_die)
            try:
                output.write(out, new, (".reg",))
                done = True
            except Off:
                done = False
        output.write(out, new, (".reg",))
        assert {name: (out / name).read_bytes() for name in names(out) if name != "export.json"} == new
        if done:
            assert at > 2
            return
    raise AssertionError("it never ended")


def test_the_list_forgets_what_is_not_ours(tmp_path: Path) -> None:
    output.write(tmp_path, {"a.reg": b"a"}, ())
    with pytest.raises(BookbagError):
        (tmp_path / "a.reg").write_bytes(b"theirs")
        output.write(tmp_path, {"a.reg": b"b"}, ())
    output.write(tmp_path, {"b.reg": b"b"}, (".reg",))
    assert sorted(json.loads((tmp_path / "export.json").read_text())["files"]) == ["b.reg"]
    assert (tmp_path / "a.reg").read_bytes() == b"theirs"
