"""The watch contract over watchdog (the sandbox's) and over our own inotify."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.host.linux.inotify import Inotify
from agent.host.watch import open_watch
from agent.host.watchdog_watch import WatchdogWatch
from tests.contract.checks import WATCH
from tests.contract.watch_checks import Watched


@pytest.fixture(params=["watchdog", "inotify"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    folder = str(tmp_path)
    (tmp_path / "area").mkdir()
    watch = open_watch(Layout(folder)) if request.param == "watchdog" else Inotify(folder)
    assert isinstance(watch, WatchdogWatch) == (request.param == "watchdog")
    # Watchdog holds some events back for half a second.
    yield Watched(watch, folder, "/area", quiet=0.7 if request.param == "watchdog" else 0.03)
    watch.close()


@pytest.mark.parametrize("name", WATCH)
def test_watch(name: str, watched: Watched) -> None:
    WATCH[name](watched)
