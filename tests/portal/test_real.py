"""The portal beside a running agent: what the supervisor and its workers write is what the pages read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.portal.public import Public
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.portal.test_process import fetch, running


@pytest.fixture
def laptop() -> Iterator[SandboxLaptop]:
    with sandbox() as made:
        made.start()
        yield made


def test_a_laptop_of_no_school_says_so(laptop: SandboxLaptop) -> None:
    public = Public(laptop.layout.public)
    until(lambda: public.read("status") and public.read("settings") and public.read("ledger"))
    with running(laptop.folder) as (_, address):
        assert "belongs to no school" in fetch(f"{address}laptop")
        assert "decided nothing" in fetch(f"{address}laptop/settings")
        assert "Nothing has happened yet" in fetch(f"{address}laptop/ledger")
    assert laptop.stop() == 0
