"""The portal in a real browser, as a student of this machine: accessible by test, by keyboard alone,
without script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal import looking
from tests.portal.frames import frame_of, in_frame
from tests.portal.serving import Served, serving
from tests.portal.shelf import lay_out
from tests.portal.window import STUDENT, Tab, Window

pytestmark = [pytest.mark.needs("chromium", "setpriv"), pytest.mark.slow]

PAGES = (
    *("/", "/?subject=science", "/search", "/search?q=pool", "/search?q=safety", "/search?q=zzz"),
    *("/item/maths.fractions", "/item/library.alice", "/item/science.rules", "/item/science.water"),
    *(
        "/item/science.results",
        "/item/science.poster",
        "/item/science.lab-safety",
        "/item/library.dictionary",
    ),
    *("/laptop/ask", "/laptop/ask?about=screen-lock.after", "/laptop/asks"),
    "/laptop/programs",
    *("/laptop", "/laptop/settings", "/laptop/ledger", "/laptop/sent", "/help", "/nothing"),
)
#: Pages without a frame of another origin in it: the Tab key's way through those is the content's.
OWN = tuple(
    path
    for path in PAGES
    if path not in ("/item/maths.fractions", "/item/library.alice", "/item/science.rules")
)


#: What a student asked, in every way that it can stand.
TOLD = json.dumps(
    {
        "v": 1,
        "asks": [
            {"person": str(STUDENT), "id": f"{number:032x}", "kind": "open-site", "about": "",
             "address": "casino.example", "words": words, "at": 1_800_000_000, "sent_at": sent,
             "said": "{}", **more}
            for number, (words, sent, more) in enumerate(
                [
                    ("للرياضيات", 0, {}),
                    ("for maths", 1_800_000_100, {}),
                    ("", 9, {"answer": {"yes": True, "text": {"en": "Until June"}, "policy": "asked-1"}}),
                    ("x" * 500, 9, {"answer": {"yes": False, "text": {"ar": "اسأل معلمك"}}}),
                ]
            )
        ],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A laptop with everything there is to show: library, snapshots, things begun, a favourite, uploads."""
    with serving(tmp_path_factory.mktemp("laptop")) as served:
        served.fill()
        served.furnish()
        sent = Path(served.layout.telemetry) / "sent"
        sent.mkdir(parents=True)
        (sent / "000000000001-metrics.json").write_text(
            '{"v":1,"signal":"metrics","bytes":2048,"tries":2,"at":1800000000,"outcome":"arrived","reports":'
            '[{"record":"disk","id":"a","at":1,"laptop":{"class":"9b"},"values":{"free":40}}]}'
        )
        (sent / "000000000001-metrics.pb").write_bytes(b"\x00raw")
        (Path(served.layout.asks) / "in").mkdir(parents=True)
        (Path(served.layout.asks) / "in").chmod(0o777)
        (Path(served.layout.asks) / "told.json").write_text(TOLD)
        lay_out(served.layout, str(STUDENT))
        token = served.token(uid=STUDENT)
        served.ask_as(STUDENT, "/item/science.water/place", {"token": token, "second": "20"})
        served.ask_as(STUDENT, "/item/science.rules/place", {"token": token, "page": "2"})
        served.ask_as(STUDENT, "/item/maths.kusur/favourite", {"token": token, "on": "1"})
        yield served


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    with Window() as made:
        yield made


@pytest.fixture
def tab(window: Window) -> Iterator[Tab]:
    made = window.tab()
    yield made
    made.close()


def name(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path).strip("-") or "home"


# -- accessible


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_a_barrier_in_either_direction_light_or_dark(
    school: Served, window: Window, path: str
) -> None:
    found = []
    for language, dark in (("en", False), ("ar", True)):
        tab = window.tab(language=language, dark=dark)
        tab.open(school.url + path)
        found += [f"{language} {'dark' if dark else 'light'}: {one}" for one in looking.problems(tab)]
        tab.picture(f"portal-{name(path)}-{language}")
        tab.close()
    assert not found, "\n".join(found)


def test_a_barrier_is_noticed(school: Served, tab: Tab) -> None:
    tab.open(f"{school.url}/help")
    tab.value(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x><a href=/></a>'); true"
    )
    found = looking.problems(tab)
    assert any("image-alt" in one for one in found) and any("link-name" in one for one in found)
    tab.value("document.querySelector('p').style.color = '#ccc'; true")
    assert any("color-contrast" in one for one in looking.problems(tab))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_fits_a_small_screen_and_a_magnified_one(
    school: Served, window: Window, path: str, language: str
) -> None:
    """320 CSS pixels are also 1280 at 400 %; 640 are 200 %."""
    tab = window.tab(width=320, height=640, language=language)
    tab.open(school.url + path)
    if path in ("/", "/laptop", "/laptop/settings", "/item/maths.fractions"):
        tab.picture(f"portal-{name(path)}-{language}-small")
    for width in (320, 640):
        tab.resize(width, 640)
        assert looking.outside(tab) == []
        assert looking.small_targets(tab) == []
    tab.close()


def test_what_does_not_fit_or_is_too_small_is_noticed(school: Served, window: Window) -> None:
    tab = window.tab(width=320)
    tab.open(f"{school.url}/help")
    tab.value("document.querySelector('h1').style.width = '500px'; true")
    assert looking.outside(tab)
    tab.value(
        "Object.assign(document.querySelector('button').style, {minBlockSize: 0, blockSize: '12px'}); true"
    )
    assert looking.small_targets(tab)
    tab.close()


@pytest.mark.parametrize(
    "path", ["/", "/laptop", "/laptop/settings", "/search?q=pool", "/item/maths.fractions"]
)
def test_languages_and_directions_are_marked_where_they_change(
    school: Served, window: Window, path: str
) -> None:
    tab = window.tab(language="ar")
    tab.open(school.url + path)
    assert tab.value("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    script = """
    [...document.querySelectorAll("[lang]")].filter(one => one.lang !== "ar" && one.dir !== "ltr"
      && !["fa", "ur", "he"].includes(one.lang)).map(one => one.outerHTML.slice(0, 80))
    """
    assert tab.value(script) == []
    arabic_in_english = window.tab(language="en")
    arabic_in_english.open(school.url + "/")
    assert (
        arabic_in_english.value("getComputedStyle(document.querySelector('.item [lang=ar]')).direction")
        == "rtl"
    )
    tab.close()
    arabic_in_english.close()


# -- the keyboard


@pytest.mark.parametrize("path", OWN)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_tab_key_goes_through_everything_in_order_and_out_again(
    school: Served, window: Window, path: str, language: str
) -> None:
    tab = window.tab(language=language)
    tab.open(school.url + path)
    stops = looking.walk(tab)
    numbers = [stop["number"] for stop in stops]
    # a player's own buttons lie inside it: it may be met several times, one after another
    met = [number for at, number in enumerate(numbers) if at == 0 or numbers[at - 1] != number]
    assert met == list(range(stops[0]["of"])), [stop["name"] for stop in stops]
    assert not [stop for stop in stops if not stop["seen"] and stop["tag"] not in ("VIDEO", "AUDIO")]
    assert not [stop for stop in stops if not stop["inside"]], "what has the focus is on the screen"
    tab.close()


def test_a_focus_that_is_not_seen_and_a_trap_are_noticed(school: Served, tab: Tab) -> None:
    tab.open(f"{school.url}/help")
    tab.value("document.querySelector('.brand').style.outline = 'none'; true")
    assert [stop["name"] for stop in looking.walk(tab) if not stop["seen"]] == ["Bookbag"]
    trap = "one.addEventListener('keydown', event => { if (event.key === 'Tab') event.preventDefault(); })"
    tab.value(
        f"{{ const one = document.querySelector('.brand'); {trap}; document.activeElement.blur(); }} true"
    )
    tab.value("getSelection().removeAllRanges(); document.querySelector('.skip').focus(); true")
    with pytest.raises(AssertionError, match="never leaves"):
        looking.walk(tab)


def test_the_first_key_offers_a_way_past_the_menu(school: Served, tab: Tab) -> None:
    tab.open(f"{school.url}/laptop")
    tab.press("Tab")
    stop = looking.focus(tab)
    assert stop is not None and stop["name"] == "Skip to the content" and stop["inside"]
    tab.picture("portal-skip")
    tab.press("Enter")
    assert tab.value("document.activeElement.tagName") == "MAIN"
    tab.press("Tab")
    stop = looking.focus(tab)
    assert stop is not None and stop["name"] == "How it stands"


def to(tab: Tab, wanted: str) -> None:
    """Press Tab until what is called so has the focus."""
    for _ in range(80):
        tab.press("Tab")
        stop = looking.focus(tab)
        if stop is not None and stop["name"].startswith(wanted):
            return
    raise AssertionError(f"the keyboard does not reach {wanted!r}")


def test_a_whole_visit_by_keyboard_alone(school: Served, window: Window) -> None:
    tab = window.tab()
    tab.open(f"{school.url}/")
    to(tab, "q")
    tab.type("tears")
    tab.press("Enter")
    tab.loaded()
    assert tab.value("document.title").startswith("Search")
    to(tab, "The pool of tears")
    tab.press("Enter")
    tab.loaded()
    assert "c2.xhtml" in tab.value("location.href")
    to(tab, "☆ Favourite")
    tab.press(" ")
    tab.loaded()
    assert tab.value("document.querySelector('[aria-pressed=true]').innerText").startswith("★")
    to(tab, "Contents")
    tab.press("Enter")
    assert tab.value("document.querySelector('.contents').open")
    to(tab, "A caucus-race")
    tab.press("Enter")
    tab.loaded()
    assert "c3.xhtml" in tab.value("location.href")
    to(tab, "My laptop")
    tab.press("Enter")
    tab.loaded()
    to(tab, "What is decided")
    tab.press("Enter")
    tab.loaded()
    to(tab, "Exactly")
    tab.press("Enter")
    assert tab.value("document.querySelector('details').open")
    to(tab, "العربية")
    tab.press("Enter")
    tab.loaded()
    assert tab.value("document.documentElement.dir") == "rtl"
    assert tab.value("location.pathname") == "/laptop/settings"
    to(tab, "English")
    tab.press("Enter")
    tab.loaded()
    assert tab.value("document.documentElement.dir") == "ltr"
    tab.close()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_student_asks_by_keyboard_alone_without_script(
    school: Served, window: Window, language: str
) -> None:
    """From a setting to what will be sent, which has no barrier either, and on its way."""
    tab = window.tab(language=language)
    tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"{school.url}/laptop/settings")
    tab.value("document.querySelector('a[href=\"/laptop/ask\"]').focus()")
    tab.press("Enter")
    tab.loaded()
    to(tab, "address")
    tab.type(f"https://{language}.games.example/a?b")
    to(tab, "words")
    tab.type("for maths")
    tab.press("Tab")
    tab.press("Enter")
    tab.loaded()
    shown = tab.value("document.querySelector('main').innerText")
    assert f"{language}.games.example" in shown and "/a?b" not in shown and "for maths" in shown
    tab.picture(f"portal-ask-preview-{language}")
    tab.ask("Emulation.setScriptExecutionDisabled", value=False)
    found = looking.problems(tab)
    assert not found, "\n".join(found)
    tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    tab.value("document.querySelector('main button').focus()")
    tab.press("Enter")
    tab.loaded()
    assert tab.value("location.pathname") == "/laptop/asks"
    assert f"{language}.games.example" in tab.value("document.querySelector('main').innerText")
    left = [path for path in (Path(school.layout.asks) / "in").iterdir() if len(path.name) == 32]
    assert any(f"{language}.games.example" in path.read_text() for path in left)
    tab.close()


@pytest.mark.parametrize("path", sorted(set(PAGES) - set(OWN)))
@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_keyboard_goes_into_content_and_out_again(
    school: Served, window: Window, path: str, language: str
) -> None:
    tab = window.tab(language=language)
    tab.open(school.url + path)
    session = frame_of(window, tab, school.content_url)
    shown = tab.value("document.documentElement.lang")[
        :2
    ]  # a test before may have chosen a language for good
    to(tab, {"en": "Read it with", "ar": "اقرأه"}[shown])
    stop = looking.focus(tab)
    assert stop is not None and stop["seen"] and stop["inside"]
    tab.press("Enter")
    assert tab.value("document.activeElement.tagName") == "IFRAME"
    if path == "/item/library.alice":  # it has no link that the Tab key would stop at
        tab.press(" ")
        scrolled = "new Promise(done => scrollY ? done(true) : addEventListener('scroll', () => done(true)))"
        assert in_frame(window, session, scrolled)
    to(tab, tab.value("document.querySelector('details:last-of-type > summary').innerText"))
    to(tab, "العربية")
    tab.close()


# -- without script, on paper


def test_everything_works_without_script(school: Served, tab: Tab) -> None:
    tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"{school.url}/item/science.water")
    assert tab.value("document.querySelector('audio').controls")
    tab.value("document.querySelector('[name=language][value=ar]').click()")
    tab.loaded()
    assert tab.value("document.documentElement.lang") == "ar"
    tab.value("document.querySelector('[name=language][value=en]').click()")
    tab.loaded()
    tab.open(f"{school.url}/item/science.rules")
    tab.value("document.querySelector('#note').value = '3'")
    tab.value("document.querySelector('#note').form.querySelector('button').click()")
    tab.loaded()
    assert "#page=3" in tab.value("document.querySelector('iframe').src")
    for path in PAGES:
        tab.open(school.url + path)
        assert tab.value("document.querySelectorAll('h1').length") == 1


def test_nothing_is_complained_about_on_our_own_pages(school: Served, tab: Tab) -> None:
    """A policy that our own page breaks would show here."""
    for path in OWN:
        tab.open(school.url + path)
    said = [one["params"]["entry"] for one in tab.events() if one["method"] == "Log.entryAdded"]
    wrong = [one for one in said if one["level"] in ("error", "warning") and "404" not in one["text"]]
    assert not wrong


def test_on_paper_there_is_no_menu_and_nothing_is_folded_away(school: Served, tab: Tab) -> None:
    tab.open(f"{school.url}/laptop/settings")
    tab.ask("Emulation.setEmulatedMedia", media="print")
    for hidden in ("header nav", "header form", "footer", ".tabs"):
        assert tab.value(f"getComputedStyle(document.querySelector({hidden!r})).display") == "none"
    assert tab.value("document.querySelector('.value').checkVisibility()")
    folded = "document.querySelector('details > p').checkVisibility({contentVisibilityAuto: true})"
    assert tab.value(folded)
    tab.picture("portal-settings-paper")
    tab.ask("Emulation.setEmulatedMedia", media="screen")
    assert not tab.value(folded), "the control"


# -- readers


def test_an_interactive_site_works_in_its_sandbox_and_is_remembered(
    school: Served, window: Window, tab: Tab
) -> None:
    tab.open(f"{school.url}/item/maths.fractions?page=index.html")
    session = frame_of(window, tab, "/maths.fractions/")
    assert in_frame(window, session, "document.body.dataset.ready") == "yes"
    assert (
        in_frame(window, session, "getComputedStyle(document.querySelector('h1')).color") == "rgb(20, 83, 45)"
    )
    assert in_frame(window, session, "document.querySelector('img').naturalWidth") == 64
    in_frame(window, session, "document.getElementById('ask').click()")
    script = """
    new Promise(done => { const look = () => { const said = document.getElementById("answer").textContent;
      said ? done(said) : setTimeout(look, 20); }; look(); })
    """
    assert in_frame(window, session, script) == "one of two equal parts"
    in_frame(window, session, "document.querySelector('a').click()")
    tab.value("new Promise(done => setTimeout(done, 1000))")
    tab.open(f"{school.url}/")
    assert "Halves" in tab.value("document.querySelector('main').innerText")


def test_a_recording_goes_on_where_it_stopped_and_has_its_captions(school: Served, window: Window) -> None:
    tab = window.tab()
    tab.open(f"{school.url}/item/science.water")
    ready = """
    new Promise((done, fail) => { const film = document.querySelector("audio");
      film.addEventListener("error", () => fail(String(film.error && film.error.message)));
      const look = () => film.currentTime > 0 ? done(film.currentTime) : setTimeout(look, 20);
      look(); setTimeout(() => fail("it does not begin where it stopped"), 15000); })
    """
    assert tab.value(ready) == 20
    cues = """
    new Promise((done, fail) => { const track = document.querySelector("audio").textTracks[0];
      track.mode = "hidden";
      const look = () => track.cues && track.cues.length ? done(track.cues[0].text) : setTimeout(look, 20);
      look(); setTimeout(() => fail("no captions"), 15000); })
    """
    assert tab.value(cues) == "Water rises."
    words = """
    new Promise((done, fail) => { const words = document.querySelector(".words");
      const look = () => words.textContent ? done([words.textContent, words.lang]) : setTimeout(look, 20);
      look(); setTimeout(() => fail("the words are not seen"), 15000); })
    """
    assert tab.value(words) == ["Water rises.", "en"]
    tab.value(
        "{ const film = document.querySelector('audio'); film.currentTime = 47; film.dispatchEvent(new "
        "Event('pause')); } true"
    )
    tab.value("new Promise(done => setTimeout(done, 500))")
    tab.open(f"{school.url}/item/science.water")
    assert tab.value(ready) == 47
    tab.close()
