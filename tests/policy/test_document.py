"""A document's own rules; those of its settings and resources are cases in tests/cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.model import Mode
from agent.policy.desk.check import check_documents
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems
from tests.policy.plain import read

GOOD = """\
policy: secondary-school
rank: school
owner: ict@north.example
review-by: "2027-08-01"
mode: observe
applies-to: {school: north-high, year: [9, "10", 11]}
settings:
  screen-lock.after:
    value: 10m
    why: {en: "Because", ar: "لأن"}
    final: true
  browser.homepage: https://portal.example/
resources:
  - file: {path: /etc/motd, content: "x"}
    why: {en: "A word of welcome"}
"""


def findings(text: str) -> list[str]:
    return [str(one) for one in check_documents([Source("p.yaml", text.encode(), "ict")])]


def test_a_document_says_what_it_holds_and_where() -> None:
    problems = Problems()
    document = read_document(Source("p.yaml", GOOD.encode(), "ict"), problems)
    assert not problems.errors
    assert document is not None
    assert (document.id, document.rank, document.owner) == ("secondary-school", "school", "ict@north.example")
    assert document.mode is Mode.OBSERVE
    assert document.applies_to == {"school": ("north-high",), "year": ("9", "10", "11")}
    lock, home = document.settings
    assert (lock.setting.key, lock.value, lock.final, lock.place.line) == ("screen-lock.after", 600, True, 8)
    assert lock.why == {"en": "Because", "ar": "لأن"}
    assert (home.value, home.final, home.place.line) == ("https://portal.example/", False, 12)
    assert document.resources[0].resource.id == "file:/etc/motd"
    assert document.resources[0].why == {"en": "A word of welcome"}


MISTAKES = Path(__file__).with_name("mistakes.yaml")


@pytest.mark.parametrize(
    "mistake", read(MISTAKES), ids=lambda mistake: str(mistake["write"] or mistake["at"])
)
def test_each_mistake_is_named_with_place_and_remedy(mistake: dict[str, str]) -> None:
    """mistakes.yaml: in GOOD, write this instead of that; exactly one finding, at this place, with
    these words.
    """
    assert mistake["instead-of"] in GOOD
    (finding,) = findings(GOOD.replace(mistake["instead-of"], mistake["write"], 1))
    assert finding == f"p.yaml:{mistake['at']}: {mistake['finding']}"


def test_a_good_document_has_no_findings() -> None:
    assert findings(GOOD) == []


@pytest.mark.parametrize("text", ["- a", "word", "7", "policy: a"])
def test_what_is_no_policy_at_all(text: str) -> None:
    assert findings(text)


def test_all_mistakes_are_reported_at_once() -> None:
    text = GOOD.replace("rank: school", "rank: scool").replace("10m", "10").replace("/etc/motd", "motd")
    assert [one.split(" ")[0] for one in findings(text)] == ["p.yaml:2:7:", "p.yaml:9:12:", "p.yaml:14:18:"]


def test_an_older_agent_takes_what_it_knows() -> None:
    text = GOOD.replace("browser.homepage", "browser.holograms")
    problems = Problems()
    document = read_document(Source("p.yaml", text.encode(), "ict"), problems)
    assert not problems.errors
    assert document is not None
    assert [one.setting.key for one in document.settings] == ["screen-lock.after"]
    assert [(one.code, one.place) for one in document.unknown] == [("not-supported", "p.yaml:12:3")]
