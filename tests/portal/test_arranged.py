"""What is arranged for the student of this laptop is on their page, and on nobody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.portal.conftest import needs_root
from tests.portal.serving import Served

ROWS = [
    {"key": "accessibility.magnifier", "value": "3x", "held_by": ""},
    {"key": "accessibility.screen-reader", "value": "on", "held_by": "national-exam"},
]
TITLE, INSTEAD = "Arranged for you", "For you it is otherwise"


@pytest.fixture
def portal(served: Served) -> Served:
    served.furnish()
    folder = Path(served.layout.asks)
    folder.mkdir(parents=True)
    told = {"v": 1, "until": 1_800_000_000, "settings": ROWS}
    (folder / "arranged.json").write_text(json.dumps(told))
    settings = Path(served.layout.public) / "settings.json"
    known = json.loads(settings.read_text())
    row = {**known["settings"][0], "key": "accessibility.magnifier", "value": "off", "observe": False}
    settings.write_text(json.dumps({**known, "settings": [*known["settings"], row]}))
    return served


def test_the_student_reads_what_until_when_and_what_stands_in_the_way(portal: Served) -> None:
    page = portal.get("/laptop/settings").text
    assert TITLE in page and "three times as large" in page and "2027" in page
    assert (
        "Screen read aloud" in page and "Not so while this policy holds" in page and "national-exam" in page
    )
    assert page.count(INSTEAD) == 1, "what policy says of it stands there too, and that it is not so"
    arabic = portal.get("/laptop/settings", Accept_Language="ar").text
    assert "رُتِّب لك" in arabic and TITLE not in arabic


@needs_root
def test_a_guest_sees_what_everybody_sees(portal: Served) -> None:
    own = portal.ask_as(0, "/laptop/settings").text
    assert TITLE in own, "the control"
    guest = portal.ask_as(65534, "/laptop/settings").text
    assert "Magnified screen" in guest and "off" in guest, "what policy says"
    assert TITLE not in guest and INSTEAD not in guest and "Screen read aloud" not in guest
    for path in ("/laptop", "/laptop/sent", "/laptop/ledger", "/laptop/asks"):
        assert TITLE not in portal.get(path).text


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"v": 9, "until": 1, "settings": []}', b'{"v": 1, "settings": 3}']
)
def test_what_is_not_as_it_should_be_breaks_no_page(portal: Served, data: bytes) -> None:
    (Path(portal.layout.asks) / "arranged.json").write_bytes(data)
    page = portal.get("/laptop/settings")
    assert page.status == 200 and "three times" not in page.text
