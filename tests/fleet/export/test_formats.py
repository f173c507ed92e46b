"""The golden files of an export: these policies make these bytes, and the bytes are read as what they say."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fleet.desk import Desk
from tests.fleet.export.regreader import imported
from tests.fleet.export.sites import HOSTILE, write

GOLDEN = Path(__file__).parents[2] / "cases" / "formats" / "fleet" / "export"


def test_the_golden_files(desk: Desk, tmp_path: Path) -> None:
    write(desk, "web", HOSTILE)
    desk.run("export", "--output", str(tmp_path / "out"))
    made = {one.name: one.read_bytes() for one in (tmp_path / "out").iterdir()}
    assert set(made) == {one.name for one in GOLDEN.iterdir()}
    for name, data in made.items():
        assert data == (GOLDEN / name).read_bytes(), name


def test_they_are_taken_for_an_earlier_export(desk: Desk, tmp_path: Path) -> None:
    for one in GOLDEN.iterdir():
        (tmp_path / one.name).write_bytes(one.read_bytes())
    write(desk, "web", "  browser.homepage: https://north.example/\n")
    assert len(desk.run("export", "--output", str(tmp_path)).value["written"]) == 3
    registry = imported((GOLDEN / "school-north.reg").read_bytes())
    chrome = registry["HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Google\\Chrome"]
    assert chrome["DefaultSearchProviderName"] == 'A "quoted" \\back\\' and chrome["ShowHomeButton"] == 1
    assert imported((GOLDEN / "remove.reg").read_bytes(), registry) == {}
    profile = json.loads((GOLDEN / "school-north.intune.json").read_text(encoding="utf-8"))
    assert profile["displayName"] == "Bookbag: school north"
