"""Which returns the service takes: enrolments of live tokens, receipts of laptops it knows, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fleet.expected import Expected
from agent.fleet.folder import Folder
from agent.fleet.invitations import TOKEN_DAYS
from agent.trust.receipts import return_name
from tests.fleet.desk import DAY, Desk, enrolled


def _expected(desk: Desk) -> Expected:
    return Expected(Folder(desk.root), lambda: desk.now)


def test_only_a_live_token_is_expected(desk: Desk) -> None:
    desk.run("device", "lap-1")
    name = f"enrol-{Folder(desk.root).device('lap-1').token}"
    assert _expected(desk).expects(name)
    desk.now += (TOKEN_DAYS + 1) * DAY
    assert not _expected(desk).expects(name)


def test_receipts_are_expected_of_assigned_laptops_only(desk: Desk, tmp_path: Path) -> None:
    laptop = enrolled(desk, tmp_path, "lap-1")
    name = return_name("north", laptop.identity.id, 7)
    assert _expected(desk).expects(name)
    assert not _expected(desk).expects(name.removesuffix("-7"))
    desk.run("device", "lap-1", "--remove")
    assert not _expected(desk).expects(name)


@pytest.mark.parametrize("name", ["enrol-", "receipt-", "zzz-"])
def test_nobody_fills_the_box_under_names_of_their_own(desk: Desk, name: str) -> None:
    assert not _expected(desk).expects(name + "0" * 32)
    assert not _expected(desk).expects(f"{name}{'0' * 32}-1")
