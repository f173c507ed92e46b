"""Each word of the vocabulary as the machine itself understands it: the browsers' own lists of what they were
told, and the desktop's keys as the student's session has them.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agent.policy import kinds
from agent.policy.bases.graded import Graded
from agent.policy.bases.offered import Offered
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.firefox import Firefox
from tests.lab import browser, firefox, sessions
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag
from tests.lab.errors import LabError
from tests.lab.laptop import Laptop

GRADED = {key: one for key, one in kinds.settings().items() if isinstance(one, Graded)}
OFFERED = {key: one for key, one in kinds.settings().items() if isinstance(one, Offered)}
TOOLS = "browser.developer-tools"
#: A laptop of the lab has the kernel of the machine that it runs on, and may not switch it.
KERNEL = "security.kernel"
#: Settings of the desktop that are no words.
LISTED: Mapping[str, object] = {
    "desktop.favourites": ["chromium.desktop", "org.gnome.Nautilus.desktop"],
    "desktop.wallpaper": "#336699",
    "input.layouts": ["ara", "us", "fr+oss"],
    "language.region": "ar_EG.UTF-8",
}
#: Settings of the browsers that are no words.
BROWSED: Mapping[str, object] = {
    "browser.bookmarks": [{"name": "Atlas", "url": "https://atlas.example/", "folder": "Look it up"}],
    "browser.downloads": "~/Downloads",
    "browser.search-engine": {"name": "Library", "url": "https://search.example/?q={searchTerms}"},
}
#: Chromium's own settings that show what a word does there: name → (loosest, tightest).
SHOWN = {"credentials_enable_service": (True, False), "signin.allowed_on_next_startup": (True, False)}


#: The same of Firefox, each with whether a person is kept from changing it.
HELD = {
    "dom.disable_open_during_load": ((False, True), (True, True)),
    "identity.fxaccounts.enabled": ((True, False), (False, True)),
    "network.trr.mode": ((0, False), (5, True)),
    "signon.rememberSignons": ((True, True), (False, True)),
}
#: Its pages that the tightest words close.
CLOSED = ("about:privatebrowsing", "about:logins")
#: The schema of the keys in a folder, where its name is not the folder's.
SCHEMAS = {"system/locale": "org.gnome.system.locale"}


@pytest.mark.parametrize(
    "grade", [pytest.param(0, marks=pytest.mark.soak, id="loosest"), pytest.param(-1, id="tightest")]
)
def test_each_word_is_what_the_browser_and_the_desktop_obey(school: School, grade: int) -> None:
    words: dict[str, object] = {
        key: one.words[grade] for key, one in (GRADED | OFFERED).items() if key != KERNEL
    }
    words |= {**LISTED, **BROWSED}
    if grade:
        words[TOOLS] = GRADED[TOOLS].words[0]  # it is these tools that we look with
    laptop = school.lina
    written = {key: {"value": value} if isinstance(value, dict) else value for key, value in words.items()}
    school.desk.policy("words", written, rank="class", applies={"class": ["9b"]}, power=True)
    school.desk.publish("ict-1", "head-1")  # some of them change the machine itself
    bookbag(laptop, "sync", codes=(0, 2))
    bookbag(laptop, "apply", codes=(0, 2))
    with browser.Browser(laptop) as window:
        assert window.policy_errors() == []
        told = window.policies()
        shown = window.preferences(*SHOWN)
    with firefox.Firefox(laptop) as other:
        told_too = other.policies()
        held = [other.preference(name) for name in HELD]
        closed = [other.open(page) for page in CLOSED]
    policies = compiled(words)
    assert len(policies) >= 9
    assert {name: told.get(name) for name in policies} == policies
    assert [(one.value, one.forced) for one in shown] == [(one[grade], True) for one in SHOWN.values()]
    of_firefox = parts(words)
    assert len(of_firefox) >= 6
    assert {name: told_too.get(name) for name in of_firefox} == of_firefox
    assert held == [one[grade] for one in HELD.values()]
    assert closed == [firefox.BLOCKED if grade else ""] * len(CLOSED)
    sessions.log_in(laptop, "student")
    try:
        the_desktop_obeys(laptop, words)
        free = "/org/gnome/desktop/interface/clock-format"  # positive control: what nobody forces
        laptop.run(["dconf", "write", free, "'12h'"], user="student")
        assert laptop.run(["dconf", "read", free], user="student").stdout.strip() == "'12h'"
    finally:
        sessions.log_out(laptop, "student")


def test_without_its_developer_tools_the_browser_lets_nobody_look_in(school: School) -> None:
    laptop = school.lina
    with browser.Browser(laptop) as window:
        assert window.open("about:blank").error == "", "the control: before, it does"
    school.desk.policy("words", {TOOLS: "blocked"})
    school.desk.publish()
    bookbag(laptop, "sync", codes=(0, 2))
    bookbag(laptop, "apply", codes=(0, 2))
    with browser.Browser(laptop) as window, pytest.raises(LabError, match="Not allowed"):
        window.open("about:blank")


def the_desktop_obeys(laptop: Laptop, words: Mapping[str, object]) -> None:
    """Each key is as the words say, and of the type that the desktop's programs want; what is locked stays
    so, and what is a default can be changed and comes back.
    """
    resources = [one for key, value in words.items() for one in kinds.settings()[key].compile(value)]
    groups = [one for one in resources if isinstance(one, Dconf)]
    assert {one.locked for one in groups} == {True, False}
    schemas = set(laptop.run(["gsettings", "list-schemas"], user="student").stdout.split())
    typed = 0
    for path, value in ((path, value) for one in groups for path, value in one.values.items()):
        assert asked(laptop, "dconf", "read", path) == value, path
        folder, _, key = path.strip("/").rpartition("/")
        schema = SCHEMAS.get(folder, folder.replace("/", "."))
        if schema in schemas:
            typed += 1
            assert asked(laptop, "gsettings", "get", schema, key) == value, path
    assert typed > 20, "the programs' own description of most keys is there"
    for locked, path, value in (
        (one.locked, path, value) for one in groups for path, value in one.values.items()
    ):
        laptop.run(["dconf", "write", path, opposite(value)], user="student", check=False)
        assert asked(laptop, "dconf", "read", path) == (value if locked else opposite(value)), path
        laptop.run(["dconf", "reset", path], user="student", check=False)
        assert asked(laptop, "dconf", "read", path) == value, path


def asked(laptop: Laptop, *question: str) -> str:
    """What a program answers the student."""
    return laptop.run(list(question), user="student").stdout.strip()


def compiled(words: Mapping[str, object]) -> dict[str, object]:
    """Chromium's policies that the settings come to."""
    resources = [one for key, value in words.items() for one in kinds.settings()[key].compile(value)]
    return {
        name: value for one in resources if isinstance(one, Chromium) for name, value in one.policies.items()
    }


def parts(words: Mapping[str, object]) -> dict[str, object]:
    """Firefox's policies that the settings come to."""
    resources = [one for key, value in words.items() for one in kinds.settings()[key].compile(value)]
    return {
        name: value for one in resources if isinstance(one, Firefox) for name, value in one.policies.items()
    }


def opposite(value: str) -> str:
    """Something else of the same type."""
    return {"true": "false", "false": "true"}.get(value, "['other.desktop']")
