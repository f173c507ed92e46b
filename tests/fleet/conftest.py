"""Sites made once and copied: making keys is slow on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.fleet import keyfile
from tests.fleet.desk import Desk, make_desk


@pytest.fixture(scope="session", autouse=True)
def _cheap_passphrases() -> object:
    """Key files say themselves how slow they are; those of the tests are quick."""
    before, keyfile.LOG2_N = keyfile.LOG2_N, 10
    yield
    keyfile.LOG2_N = before


@pytest.fixture(scope="session")
def fresh_site(tmp_path_factory: pytest.TempPathFactory, _cheap_passphrases: object) -> Desk:
    """A site after init, nothing published."""
    return make_desk(tmp_path_factory.mktemp("fresh") / "it")


@pytest.fixture(scope="session")
def public_site(fresh_site: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A site with its trust published."""
    desk = fresh_site.copy(tmp_path_factory.mktemp("public") / "it")
    desk.publish()
    return desk


@pytest.fixture
def fresh(fresh_site: Desk, tmp_path: Path) -> Desk:
    """A copy of the fresh site."""
    return fresh_site.copy(tmp_path / "it")


@pytest.fixture
def desk(public_site: Desk, tmp_path: Path) -> Desk:
    """A copy of the published site."""
    return public_site.copy(tmp_path / "it")
