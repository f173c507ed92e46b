"""Each word of the vocabulary as the machine itself understands it: Chromium's own list of what it was
told, and the desktop's keys as the student's session has them.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from agent.policy import kinds
from agent.policy.graded import Graded
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.dconf import Dconf
from tests.lab import browser, sessions
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag
from tests.lab.errors import LabError

GRADED = {key: one for key, one in kinds.settings().items() if isinstance(one, Graded)}
TOOLS = "browser.developer-tools"
DOCK = ["chromium.desktop", "org.gnome.Nautilus.desktop"]
#: Chromium's own settings that show what a word does there: name → (loosest, tightest).
SHOWN = {"credentials_enable_service": (True, False), "signin.allowed_on_next_startup": (True, False)}


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
    policies, keys = compiled({**words, "desktop.favourites": DOCK})
    assert len(policies) >= 9 and len(keys) >= 6
    assert {name: told.get(name) for name in policies} == policies
    assert [(one.value, one.forced) for one in shown] == [(one[grade], True) for one in SHOWN.values()]
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


def opposite(value: str) -> str:
    """Something else of the same type."""
    return {"true": "false", "false": "true"}.get(value, "['other.desktop']")
