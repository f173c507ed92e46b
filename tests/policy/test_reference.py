"""The reference page in docs/ is what the kinds say today."""

from __future__ import annotations

from agent.policy import kinds
from agent.policy.desk.reference import reference
from tests.leaks import REPOSITORY


def test_the_page_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "policy-reference.md").read_text(encoding="utf-8")
    assert page == reference(), "run: python -m agent.policy.desk.reference > docs/policy-reference.md"


def test_the_page_names_every_kind() -> None:
    text = reference()
    for name in (*kinds.settings(), *(kind for kind, cls in kinds.resources().items() if cls.direct)):
        assert f"### {name}\n" in text
