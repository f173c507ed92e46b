"""The contract of accounts over the laptop in a folder; tests/contract/test_lab.py has it over a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.choose import open_host
from agent.host.sandbox import trying
from tests.contract.accounts_checks import People
from tests.contract.checks import ACCOUNTS


@pytest.mark.parametrize("name", ACCOUNTS)
def test_accounts(name: str, tmp_path: Path) -> None:
    folder = str(tmp_path)
    ACCOUNTS[name](People(open_host(Layout(folder)), lambda user: trying.log_in(folder, user)))
