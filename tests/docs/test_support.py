"""docs/support.md says what is true of the code and of the lab's tests."""

from __future__ import annotations

from agent.policy import kinds
from tests.docs.support import COLUMNS, page, reached, seen
from tests.leaks import REPOSITORY


def test_the_page_is_as_it_would_be_made_now() -> None:
    there = (REPOSITORY / "docs/support.md").read_text(encoding="utf-8")
    assert there == page(), "python -m tests.docs.support > docs/support.md"


def test_every_setting_reaches_something_that_has_a_column() -> None:
    columns = {kind for names in COLUMNS.values() for kind in names}
    for setting in kinds.settings().values():
        assert reached(setting) & columns, setting.key


def test_what_counts_as_seen() -> None:
    assert seen("browser.homepage") and seen("desktop.log-out")
    assert not seen("browser.no-such-setting")
