"""A teacher who edits learning content: they publish it alone, and that is all that they can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleet.content import material
from tests.fleet.desk import Desk, enrolled, make_desk

ROLE = """  library:
    persons:
      - ict-2
    ranks: []
    power: false
    content: true
"""


@pytest.fixture(scope="module")
def living_site(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A site with a role of editors, in which the teacher Lee is."""
    desk = make_desk(tmp_path_factory.mktemp("living") / "it")
    file = desk.root / "site.yaml"
    file.write_text(file.read_text().replace("holders:\n", f"{ROLE}holders:\n", 1))
    added = desk.run("person", "add", "lee", "--role", "library", "--as", "ict-1")
    assert added.value["shared"] == []
    desk.publish()
    return desk


@pytest.fixture
def desk(living_site: Desk, tmp_path: Path) -> Desk:
    return living_site.copy(tmp_path / "it")


def test_they_publish_content_alone(desk: Desk, tmp_path: Path) -> None:
    site = str(material.site(tmp_path / "rivers"))
    desk.run("content", "add", site, "--role", "library", "--licence", "CC0-1.0")
    assert desk.publish("lee")["published"][:1] == ["content-library"]


def test_what_laptops_return_does_not_open_for_them(desk: Desk) -> None:
    (lee,) = (one for one in desk.run("person", "list").value["persons"] if one["id"] == "lee")
    assert (lee["roles"], lee["opens-returns"]) == (["library"], False)
    assert [path.name for path in (desk.root / "keys/shared").iterdir() if ".lee." in path.name] == []


def test_their_signature_on_an_order_counts_for_nobody(desk: Desk, tmp_path: Path) -> None:
    enrolled(desk, tmp_path / "laptop", "lap-1", "year=9")
    told = desk.run("message", "lap-1", "--text", "en=Hello", "--as", "lee", as_json=False)
    assert "signed by nobody who may" in told.out
    assert "It needs 1 more of: head-1, ict-1, ict-2" in told.out
    assert any("message" in str(one) for one in desk.publish("ict-1", expect=4)["lacking"])


def test_of_a_role_without_ranks_no_policy_is_taken(desk: Desk) -> None:
    desk.policy("secondary", role="library")
    assert desk.run("check", expect=4).value["errors"] > 0
