"""Which returns the service takes from strangers: those of live tokens, and no others."""

from __future__ import annotations

import pytest

from agent.fleet import devices
from agent.fleet.folder import Folder
from tests.fleet.desk import DAY, Desk


def test_only_a_live_token_is_expected(desk: Desk) -> None:
    desk.run("device", "lap-1")
    folder = Folder(desk.root)
    name = f"enrol-{folder.device('lap-1').token}"
    assert devices.is_expected(folder, name, desk.now)
    assert not devices.is_expected(folder, name, desk.now + (devices.TOKEN_DAYS + 1) * DAY)


@pytest.mark.parametrize("name", ["enrol-", "receipt-", "zzz-"])
def test_nobody_fills_the_box_under_names_of_their_own(desk: Desk, name: str) -> None:
    assert not devices.is_expected(Folder(desk.root), name + "0" * 32, desk.now)
    assert not devices.is_expected(Folder(desk.root), f"{name}{'0' * 32}-1", desk.now)
