"""The fleet page of a whole school: its lists, its search, its pages, and what it is asked by strangers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.fleet import fleetpage
from agent.fleet.folder import Folder
from agent.fleet.reports import ReportStore
from agent.fleet.service.page import MOST_TEXT, Content, Page, View, read_view, render
from agent.web.answers import Answer
from agent.web.http import HttpError, Request
from tests.fleet.large import make_school

NOW = int(time.time())
LAPTOPS = 230


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder. Nothing here writes into it."""
    return make_school(tmp_path_factory.mktemp("school") / "it", LAPTOPS, now=NOW).root


@pytest.fixture
def store(school: Path) -> Iterator[ReportStore]:
    made = ReportStore(school / "telemetry" / "reports.db")
    yield made
    made.close()


@pytest.fixture
def folder(school: Path) -> Folder:
    return Folder(school)


def shown(content: Content) -> list[str]:
    """Names of the laptops on a page."""
    return [row[0] for row in content.tables[0].rows]


def names(*numbers: int) -> list[str]:
    return [f"lap-{number:04}" for number in sorted(numbers)]


def test_every_laptop_is_on_one_page(folder: Folder, store: ReportStore) -> None:
    pages = [fleetpage.content(folder, NOW, store, View(page=number)) for number in (1, 2, 3)]
    assert [len(shown(page)) for page in pages] == [100, 100, 30]
    assert [name for page in pages for name in shown(page)] == names(*range(LAPTOPS))
    first, second, third = (render(page) for page in pages)
    assert "Page 1 of 3" in first and ">Next<" in first and ">Back<" not in first
    assert "href='/?page=3'>Next<" in second and "href='/'>Back<" in second
    assert ">Next<" not in third
    past = fleetpage.content(folder, NOW, store, View(page=9))
    assert shown(past) == [] and "href='/?page=3'>Back<" in render(past)


def test_the_lists_hold_who_belongs_there_and_say_how_many(folder: Folder, store: ReportStore) -> None:
    ill, late, mute = range(0, LAPTOPS, 10), range(1, LAPTOPS, 20), range(2, LAPTOPS, 100)
    expected = {"look": names(*ill), "locked": names(*ill), "silent": names(*late, *mute), "back": []}
    for name, laptops in expected.items():
        page = fleetpage.content(folder, NOW, store, View(name))
        assert shown(page) == laptops
        assert page.counts[name] == len(laptops)
        assert f"aria-current=page>{View.LISTS[name]}: {len(laptops)}<" in render(page)
        assert page.counts["all"] == LAPTOPS
    without = fleetpage.content(folder, NOW, None, View("silent"))
    assert without.counts["silent"] == LAPTOPS, "nobody was heard of: no report ever came"


def test_the_search_finds_names_and_groups(folder: Folder, store: ReportStore) -> None:
    def found(find: str, show: str = "all") -> list[str]:
        return shown(fleetpage.content(folder, NOW, store, View(show, find)))

    assert found("LAP-011") == names(*range(110, 120))
    assert found("9a lap-011") == names(110, 114, 118)
    assert found("north-high 10a", "look") == names(*(n for n in range(0, LAPTOPS, 10) if n % 4 == 3))
    assert found("lap-011 nobody") == []
    page = render(fleetpage.content(folder, NOW, store, View("look", "lap-011")))
    assert "href='/?find=lap-011'>All laptops" in page, "the words stay when another list is chosen"


def test_receipts_and_orders_are_told(
    folder: Folder, store: ReportStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = fleetpage.content(folder, NOW, store, View(find="lap-000"))
    told = {row[0]: row[-1] for row in page.tables[0].rows}
    assert told["lap-0004"] == "1, last message done" and told["lap-0005"] == ""
    orders = page.tables[1]
    assert len(orders.rows) == len(range(0, LAPTOPS, 4)) and not orders.below
    assert orders.rows[0][1] == "message" and orders.rows[0][3] == "ict-1"
    monkeypatch.setattr(fleetpage, "MOST_ORDERS", 10)
    fewer = fleetpage.content(folder, NOW, store, View()).tables[1]
    assert (list(fewer.rows), bool(fewer.below)) == (list(orders.rows[:10]), True)


def test_settings_that_are_not_in_force_are_told_by_setting(folder: Folder, store: ReportStore) -> None:
    page = fleetpage.content(folder, NOW, store, View(find="lap-0001"))
    (table,) = [one for one in page.tables if one.caption == "Settings not in force"]
    ill, told = len(range(0, LAPTOPS, 10)), LAPTOPS - len(range(2, LAPTOPS, 100))
    assert [list(row) for row in table.rows] == [
        ["browser.homepage", "put back again and again", f"{ill} of {told}"],
        ["screen-lock.after", "written, but something there has more say", f"{ill} of {told}"],
    ], "of the whole school, whatever is looked for"
    (without,) = [
        one for one in fleetpage.content(folder, NOW, None, View()).tables if one.caption == table.caption
    ]
    assert without.rows == [] and "No laptop has told" in without.below


def test_what_is_remembered_of_a_receipt_goes_with_its_file(school: Path, store: ReportStore) -> None:
    folder = Folder(school)
    view = View(find="lap-0008")
    assert "last message done" in str(fleetpage.content(folder, NOW, store, view).tables[0].rows)
    (path,) = (school / "receipts" / "lap-0008").iterdir()
    good = path.read_bytes()
    path.write_bytes(good.replace(b'"envelope": "', b'"envelope": "AAAA'))
    try:
        assert "not to be believed" in str(fleetpage.content(folder, NOW, store, view).tables[0].rows)
    finally:
        path.write_bytes(good)
    assert "last message done" in str(fleetpage.content(folder, NOW, store, view).tables[0].rows)


def test_a_folder_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    page = render(fleetpage.content(Folder(tmp_path), NOW, None, View()))
    assert "This folder cannot be read" in page and "site.yaml" in page


@pytest.mark.parametrize(
    "view",
    [View(), View("look"), View("silent", "9a & <b>'\"", 7), View(find="é 100% +x"), View(page=10_000)],
)
def test_an_address_is_read_as_what_was_meant(view: View) -> None:
    assert read_view(view.address.partition("?")[2]) == view


@pytest.mark.parametrize(
    "query",
    [
        "show=x",
        "show=",
        "page=0",
        "page=-1",
        "page=10001",
        "page=1e3",
        "page=",
        f"page={'9' * 5000}",
        f"find={'a' * (MOST_TEXT + 1)}",
        "path=/etc/passwd",
        "find",
        "&&&",
        "find=a&find=b&find=c&find=d",
        "a=1&" * 1000,
    ],
)
def test_what_is_no_address_of_the_page_is_not_found(query: str) -> None:
    def never(view: View) -> Content:
        raise AssertionError("nothing is read for it")

    with pytest.raises(HttpError) as refused:
        Page(never).handle(Request("GET", "/", 1, {"host": "localhost:1"}, query))
    assert refused.value.status == 404


def test_words_that_are_searched_for_are_never_markup(folder: Folder, store: ReportStore) -> None:
    evil = "'><script>alert(1)</script>"
    asked = Request("GET", "/", 1, {"host": "localhost:1"}, View(find=evil).address.partition("?")[2])
    page = Page(lambda view: fleetpage.content(folder, NOW, store, view))
    answer = page.handle(asked)
    assert isinstance(answer, Answer) and isinstance(answer.body, bytes)
    text = answer.body.decode()
    assert "<script" not in text and evil not in text
    assert "value='&#x27;&gt;&lt;script&gt;" in text
    assert re.search(r"default-src 'none'.*form-action 'self'", answer.headers["Content-Security-Policy"])
