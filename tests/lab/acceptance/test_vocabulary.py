"""Each word of the vocabulary as the machine itself understands it: the browsers' own lists of what they were
told, and the desktop's keys as the student's session has them.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agent.policy import kinds
from agent.policy.graded import Graded
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.firefox import Firefox
from tests.lab import browser, firefox, sessions
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag
from tests.lab.errors import LabError

GRADED = {key: one for key, one in kinds.settings().items() if isinstance(one, Graded)}
TOOLS = "browser.developer-tools"
DOCK = ["chromium.desktop", "org.gnome.Nautilus.desktop"]
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


@pytest.mark.parametrize("grade", [0, -1], ids=["loosest", "tightest"])
def test_each_word_is_what_the_browser_and_the_desktop_obey(school: School, grade: int) -> None:
    words: dict[str, object] = {key: one.words[grade] for key, one in GRADED.items()}
    if grade:
        words[TOOLS] = GRADED[TOOLS].words[0]  # it is these tools that we look with
    laptop = school.lina
    school.desk.policy(
        "words", {**words, "desktop.favourites": DOCK}, rank="class", applies={"class": ["9b"]}
    )
    school.desk.publish()
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
    policies, keys = compiled({**words, "desktop.favourites": DOCK})
    assert len(policies) >= 9 and len(keys) >= 6
    assert {name: told.get(name) for name in policies} == policies
    assert [(one.value, one.forced) for one in shown] == [(one[grade], True) for one in SHOWN.values()]
    of_firefox = parts(words)
    assert len(of_firefox) >= 6
    assert {name: told_too.get(name) for name in of_firefox} == of_firefox
    assert held == [one[grade] for one in HELD.values()]
    assert closed == [firefox.BLOCKED if grade else ""] * len(CLOSED)
    sessions.log_in(laptop, "student")
    try:
        for path, value in keys.items():
            laptop.run(["dconf", "write", path, opposite(value)], user="student", check=False)
            assert laptop.run(["dconf", "read", path], user="student").stdout.strip() == value, path
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


def compiled(words: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Chromium's policies and the desktop's keys that the settings come to."""
    resources = [one for key, value in words.items() for one in kinds.settings()[key].compile(value)]
    policies = {
        name: value for one in resources if isinstance(one, Chromium) for name, value in one.policies.items()
    }
    keys = {path: value for one in resources if isinstance(one, Dconf) for path, value in one.values.items()}
    return policies, keys


def parts(words: Mapping[str, object]) -> dict[str, object]:
    """Firefox's policies that the settings come to."""
    resources = [one for key, value in words.items() for one in kinds.settings()[key].compile(value)]
    return {
        name: value for one in resources if isinstance(one, Firefox) for name, value in one.policies.items()
    }


def opposite(value: str) -> str:
    """Something else of the same type."""
    return {"true": "false", "false": "true"}.get(value, "['other.desktop']")
