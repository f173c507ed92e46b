"""The page of programs: each with how it stands and one button, for nobody but who is there; nothing but
what is offered is ever left for root."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.portal import programs
from agent.portal.languages import language
from agent.portal.people import Who
from agent.portal.programs import Programs
from agent.trust import choices
from agent.trust.choices import Choice
from tests.portal.conftest import needs_root
from tests.portal.serving import Served
from tests.portal.shelf import ROWS, STATES, lay_out

ME = Who(str(os.geteuid()))
LINA, OMAR = Who("1000"), Who("1001")
PAGE = "/laptop/programs"


@pytest.fixture
def portal(served: Served) -> Served:
    served.furnish()
    lay_out(served.layout, ME.key)
    return served


def left(portal: Served) -> list[Choice]:
    """What lies there for root."""
    found = sorted(path for path in Path(portal.layout.asks, "in").iterdir() if path.name != "news")
    return [choices.parse_choice(path.read_bytes(), path.name) for path in found]


def cards(text: str) -> dict[str, str]:
    """Name → its card."""
    return {name: next(one for one in text.split("<article>")[1:] if said(name) in one) for name in ROWS}


def said(name: str) -> str:
    title = ROWS[name][0].get("title", {})
    assert isinstance(title, dict)
    return f">{title.get('en', name)}<"


def test_each_program_says_how_it_stands_and_what_can_be_done(portal: Served) -> None:
    say = language("en")
    shown = cards(portal.get(PAGE).text)
    buttons = {name: re.findall(r'name="do" value="([a-z]+)"', card) for name, card in shown.items()}
    for name, card in shown.items():
        assert f">{say(f'programs.state.{STATES[name]}')}<" in card, name
    assert buttons == {
        "tuxpaint": ["install"],
        **{name: ["remove"] for name in ("stellarium", "gcompris-qt", "zoom")},
        "marble": ["install"],
        **{name: [] for name in ("kalzium", "scratch", "libreoffice")},
    }
    assert "Draw and paint" in shown["tuxpaint"] and "no source of this laptop" in shown["zoom"]
    assert (
        "None of this laptop’s sources has it" in shown["zoom"]
        and "your school is not told" in portal.get(PAGE).text
    )
    arabic = portal.get(PAGE, Accept_Language="ar").text
    assert "الرسم مع توكس" in arabic and "ثبّت" in arabic and "Install" not in arabic
    assert f'<a href="{PAGE}" class="button"' in portal.get("/laptop").text.replace("'", '"')


def test_a_choice_is_left_for_root_and_shown_at_once(portal: Served) -> None:
    form = {"token": portal.token(), "package": "tuxpaint"}
    got = portal.post(PAGE, {**form, "do": "install"})
    assert (got.status, got.headers["location"]) == (303, PAGE)
    assert left(portal) == [Choice(ME.key, "tuxpaint", wanted=True)]
    assert (Path(portal.layout.asks) / "in/news").exists(), "root is told"
    assert ">on its way<" in cards(portal.get(PAGE).text)["tuxpaint"]
    assert portal.post(PAGE, {**form, "do": "install"}).status == 303, "the same again"
    assert portal.post(PAGE, {**form, "do": "remove"}).status == 303
    assert left(portal) == [Choice(ME.key, "tuxpaint", wanted=False)], "the later word"
    assert ">offered<" in cards(portal.get(PAGE).text)["tuxpaint"]


@pytest.mark.parametrize(
    "package",
    [
        "openssh-server",
        "scratch",
        "libreoffice",
        "",
        "../../etc/passwd",
        "tuxpaint/..",
        "a" * 5000,
        "tuxpaint\0",
        "ﬀ",
    ],
)
def test_what_is_not_offered_is_refused_on_the_page_and_nothing_is_left(portal: Served, package: str) -> None:
    got = portal.post(PAGE, {"token": portal.token(), "package": package, "do": "install"})
    assert got.status == 404 and 'role="alert"' in got.text and "does not offer this program" in got.text
    assert left(portal) == []


@pytest.mark.parametrize("do", ["", "purge", "INSTALL"])
def test_nothing_else_can_be_done_with_a_program(portal: Served, do: str) -> None:
    got = portal.post(PAGE, {"token": portal.token(), "package": "tuxpaint", "do": do})
    assert got.status == 400 and left(portal) == []


HOSTILE = {
    "another origin": {"Origin": "http://evil.example"},
    "the content's origin": {"Origin": "CONTENT"},
    "no origin": {"Origin": ""},
    "from another site": {"Sec_Fetch_Site": "cross-site"},
    "from the content": {"Sec_Fetch_Site": "same-site"},
}


@pytest.mark.parametrize("headers", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_other_page_chooses_for_a_student(portal: Served, headers: dict[str, str]) -> None:
    good = {"token": portal.token(), "package": "tuxpaint", "do": "install"}
    changed = {name: portal.content_url if value == "CONTENT" else value for name, value in headers.items()}
    assert portal.post(PAGE, good, **changed).status == 403 and left(portal) == []
    assert portal.post(PAGE, {**good, "token": "0" * 32}).status == 403 and left(portal) == []
    assert portal.post(PAGE, good).status == 303, "the control"


@needs_root
def test_guests_look_and_others_see_what_is_there_and_whose_it_is_not(portal: Served) -> None:
    guest = portal.ask_as(999, PAGE).text
    assert "be signed in" in guest and 'name="do"' not in guest and ">Tux Paint<" in guest
    assert "You chose it" not in guest and ">installed<" not in guest
    got = portal.ask_as(999, PAGE, {"token": portal.token(uid=999), "package": "tuxpaint", "do": "install"})
    assert got.status == 403 and left(portal) == []
    omars = cards(portal.ask_as(1001, PAGE).text)
    assert "Somebody else who uses this laptop chose it" in omars["gcompris-qt"]
    mine = portal.token()
    got = portal.ask_as(1001, PAGE, {"token": mine, "package": "gcompris-qt", "do": "remove"})
    assert got.status == 403 and left(portal) == [], "another's form"


def test_a_thousand_choices_are_a_few_files_and_one_answer(served: Served) -> None:
    lay_out(served.layout, "1000")
    now = [0.0]
    shelf = Programs(served.layout.asks, clock=lambda: now[0])
    refused = 0
    for number in range(1000):
        try:
            shelf.leave(LINA, "tuxpaint", wanted=number % 2 == 0)
        except BookbagError as problem:
            assert problem.code == "too-many"
            refused += 1
            break
    assert refused and len(left(served)) == 1
    shelf.leave(OMAR, "tuxpaint", wanted=True)
    now[0] = programs.REFILL
    mine = {one.name: one.mine for one in shelf.of(LINA)}["tuxpaint"]
    shelf.leave(LINA, "tuxpaint", wanted=not mine)
    assert len(left(served)) == 2


def test_without_a_shelf_the_page_says_so_and_what_is_damaged_breaks_nothing(served: Served) -> None:
    served.furnish()
    assert "offers no programs" in served.get(PAGE).text
    lay_out(served.layout, ME.key)
    folder = Path(served.layout.asks)
    for name in ("offered.json", "chosen.json"):
        whole = (folder / name).read_bytes()
        for data in (b"", b"{}", b'{"v":1,"programs":[3,{"name":7}],"chosen":[{"name":"zoom","persons":3}]}'):
            (folder / name).write_bytes(data)
            assert served.get(PAGE).status == 200
        (folder / name).write_bytes(whole)
    (folder / "in" / f"choice.{ME.key}.tuxpaint").write_bytes(b"\0")
    assert ">offered<" in cards(served.get(PAGE).text)["tuxpaint"]
