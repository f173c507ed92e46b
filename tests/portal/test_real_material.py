"""Real books, a real site and a real film, from a teacher's folder to a student's browser: published at the
desk, brought on a stick, opened in Chromium without any network.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.daemon.laptop import sandbox
from tests.fleet.content.offering import all_here, offers_all
from tests.fleet.content.test_to_a_laptop import enrol
from tests.portal import looking
from tests.portal.frames import frame_of, in_frame
from tests.portal.test_process import running
from tests.portal.window import Tab, Window

pytestmark = [pytest.mark.slow, pytest.mark.soak, pytest.mark.needs("apt-get", "dpkg", "chromium", "setpriv")]


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a laptop's portal, after its only stick was pulled out."""
    folder = tmp_path_factory.mktemp("real")
    stick = folder / "stick"
    stick.mkdir()
    desk = offers_all(folder / "it")
    desk.run("stick", str(stick))
    with sandbox() as laptop:
        laptop.start()
        enrol(desk, laptop, "https://127.0.0.1:9/")
        synced = laptop.cli("sync", "--from", str(stick))
        assert synced.returncode in (0, 2), synced.stderr
        assert all_here(laptop)
        stick.rename(folder / "pulled")
        with running(laptop.folder) as (_, address):
            yield address.rstrip("/")
        laptop.stop()


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    with Window() as made:
        yield made


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/search?q=itertools",
        "/item/ict.python?page=library%2Fitertools.html",
        "/item/ict.handbook",
        "/item/ict.handbook-fa",
        "/item/ict.film",
    ],
)
def test_each_page_is_without_barriers_and_fits(
    portal: str, window: Window, path: str, language: str
) -> None:
    tab = window.tab(language=language)
    tab.open(portal + path)
    settled(tab)
    tab.picture(f"real-{path.strip('/')}-{language}", whole=False)
    assert looking.problems(tab) == []
    tab.resize(320, 640)
    assert looking.outside(tab) == []
    tab.close()


def settled(tab: Tab) -> None:
    """Frames of another origin have no event of ours: a moment, for the picture's sake alone."""
    tab.value("new Promise(done => setTimeout(done, 700))")


@pytest.mark.parametrize(
    ("path", "part", "heading", "way"),
    [
        (
            "/item/ict.python?page=library%2Fitertools.html",
            "/ict.python/",
            "itertools — Functions creating iterators",
            "ltr",
        ),
        ("/item/ict.handbook", "/ict.handbook/", "The Debian Administrator's Handbook", "ltr"),
        ("/item/ict.handbook-fa", "/ict.handbook-fa/", "راهنمای دبیان برای مدیر سیستم", "rtl"),
    ],
)
def test_a_page_opens_with_its_own_look_and_direction(
    portal: str, window: Window, path: str, part: str, heading: str, way: str
) -> None:
    tab = window.tab()
    tab.open(portal + path)
    session = frame_of(window, tab, part)
    in_frame(
        window,
        session,
        "new Promise(done => document.readyState === 'complete' ? done() : addEventListener('load', done))",
    )
    assert heading in str(in_frame(window, session, "document.body.innerText"))
    assert in_frame(window, session, "getComputedStyle(document.body).direction") == way
    styles = "[...document.styleSheets].length"
    assert in_frame(window, session, styles) != 0
    tab.close()


def test_a_search_finds_a_persian_page_and_opens_it(portal: str, window: Window) -> None:
    tab = window.tab(language="ar")
    tab.open(f"{portal}/search?q=مدیریت بسته")
    link = tab.value("document.querySelector('main a[href*=\"handbook-fa\"]').href")
    tab.open(link)
    assert frame_of(window, tab, "/ict.handbook-fa/")
    tab.close()


def test_the_film_plays_with_captions_and_seeks(portal: str, window: Window) -> None:
    tab = window.tab(language="ar")
    tab.open(f"{portal}/item/ict.film")
    ready = """
    new Promise((done, fail) => { const film = document.querySelector("video");
      film.addEventListener("error", () => fail(String(film.error && film.error.message)));
      const look = () => film.readyState >= 2 ? done(film.videoWidth) : setTimeout(look, 20);
      look(); setTimeout(() => fail("it does not open"), 15000); })
    """
    assert tab.value(ready) > 100
    seek = """
    new Promise((done, fail) => { const film = document.querySelector("video");
      film.addEventListener("seeked", () => done(film.currentTime), {once: true});
      film.currentTime = 1; setTimeout(() => fail("it does not seek"), 15000); })
    """
    assert tab.value(seek) == 1
    caption = """
    new Promise((done, fail) => {
      const shown = [...document.querySelector("video").textTracks].find(one => one.mode === "showing");
      const look = () => shown && shown.activeCues && shown.activeCues.length
        ? done([shown.language, shown.activeCues[0].text]) : setTimeout(look, 20);
      look(); setTimeout(() => fail("no captions"), 15000); })
    """
    assert tab.value(caption) == ["ar", "أرنب يستيقظ"]
    tab.picture("real-film-captions", whole=False)
    tab.close()
