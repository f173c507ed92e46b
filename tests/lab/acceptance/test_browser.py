"""What a student sees: the browser opens the school's page and refuses a closed site; the desktop obeys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import browser, firefox, sessions
from tests.lab.acceptance.conftest import HOME, School
from tests.lab.acceptance.school import bookbag

DELAY = ("org.gnome.desktop.session", "idle-delay")
TITLE = "North High library"
LOCK = ("org.gnome.desktop.screensaver", "lock-enabled")


@pytest.fixture
def web(school: School, tmp_path: Path) -> Iterator[None]:
    """Web sites on the school's server, under every name that the laptops know."""
    (tmp_path / "index.html").write_text(
        "<title>North High library</title><body style='font: 32px sans-serif; margin: 80px'>"
        "<h1>North High library</h1><p>Welcome back. Your lessons and books are here."
    )
    server = school.lina._network.serve_folder(tmp_path)
    fetch = f"import urllib.request as u; u.urlopen('{HOME}')"
    school.lina.wait_until(lambda: school.lina.run(["python3", "-c", fetch]).returncode == 0, 10, "the web")
    yield
    school.lina._network.stop(server)


@pytest.mark.usefixtures("web")
def test_chromium_opens_the_homepage_and_refuses_a_closed_site(school: School) -> None:
    laptop = school.lina
    with browser.Browser(laptop) as window:
        assert window.start_pages() == (HOME,)
        home = window.open(HOME, screenshot="acceptance-homepage")
        assert (home.error, home.title) == ("", TITLE)
        for host in ("casino.example", "www.casino.example"):
            page = window.open(f"http://{host}/", screenshot=f"acceptance-blocked-{host}")
            assert page.error == browser.BLOCKED
            assert "North High" not in page.dom
        assert window.policy_errors() == []
    assert browser.homepage(laptop) == browser.Homepage((HOME,), HOME, True)


@pytest.mark.usefixtures("web")
def test_firefox_opens_the_homepage_and_refuses_a_closed_site(school: School) -> None:
    with firefox.Firefox(school.lina) as window:
        assert window.preference("browser.startup.homepage") == (HOME, True)
        assert window.preference("browser.startup.page") == (1, True), "it is what opens at the start"
        assert (window.open(HOME, screenshot="acceptance-firefox-homepage"), window.title()) == ("", TITLE)
        for host in ("casino.example", "www.casino.example"):
            refused = window.open(f"http://{host}/", screenshot=f"acceptance-firefox-blocked-{host}")
            assert refused == firefox.BLOCKED


@pytest.mark.usefixtures("web")
def test_without_the_policy_the_site_opens(school: School) -> None:
    """The positive control: the server answers for that name, and only the policy is in the way."""
    school.desk.withdraw("everyone")
    school.desk.publish()
    bookbag(school.omar, "sync")
    page = browser.open_page(school.omar, "http://casino.example/")
    assert (page.error, page.title) == ("", TITLE)
    with firefox.Firefox(school.omar) as window:
        assert (window.open("http://casino.example/"), window.title()) == ("", TITLE)
        assert window.policies() == {}
        assert window.preference("browser.startup.homepage")[1] is False


@pytest.mark.usefixtures("web")
def test_where_the_whole_web_is_closed_only_what_is_allowed_opens(school: School) -> None:
    """As in an exam. That the second site opens otherwise is shown above."""
    school.desk.withdraw("everyone")
    sites = {"browser.blocked-sites": ["*"], "browser.allowed-sites": ["library.example"]}
    school.desk.policy("exam", sites, rank="class", applies={"class": ["9b"]})
    school.desk.publish()
    bookbag(school.lina, "sync")
    with browser.Browser(school.lina) as window:
        opened = window.open(HOME)
        assert (opened.error, opened.title) == ("", TITLE)
        assert window.open("http://casino.example/").error == browser.BLOCKED
    with firefox.Firefox(school.lina) as other:
        assert (other.open(HOME), other.title()) == ("", TITLE)
        assert other.open("http://casino.example/") == firefox.BLOCKED


def test_the_desktop_obeys_and_the_student_cannot_change_it(school: School) -> None:
    laptop = school.lina
    sessions.log_in(laptop, "student")
    try:
        for (schema, key), forced, other in ((DELAY, "uint32 600", "0"), (LOCK, "true", "false")):
            assert gsettings(school, "get", schema, key) == forced
            assert gsettings(school, "writable", schema, key) == "false"
            gsettings(school, "set", schema, key, other)
            assert gsettings(school, "get", schema, key) == forced
        free = ("org.gnome.desktop.interface", "clock-format")  # positive control: what nobody forces
        assert gsettings(school, "writable", *free) == "true"
        gsettings(school, "set", *free, "12h")
        assert gsettings(school, "get", *free) == "'12h'"
    finally:
        sessions.log_out(laptop, "student")


def gsettings(school: School, *words: str) -> str:
    """`gsettings …` as the student in a session; what it printed."""
    return school.lina.run(["gsettings", *words], user="student", check=False).stdout.strip()
