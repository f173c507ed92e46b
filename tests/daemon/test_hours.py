"""When packages may be installed: as policy decides, in the laptop's own time; without a word, always."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.daemon.hours import closed, decided
from agent.policy.resources.agent import Agent
from agent.policy.settings.updates.automatic import UpdatesAutomatic

NOON = 1_800_014_400  # 2027-01-15 12:00 UTC
HOUR = 3600


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    made = Layout(str(tmp_path))
    Path(made.public).mkdir(parents=True)
    yield made
    monkeypatch.undo()
    time.tzset()


def write(layout: Layout, hours: str) -> None:
    """As the setting has it written."""
    made = UpdatesAutomatic().compile({"packages": "security", "hours": hours})
    (one,) = [one for one in made if isinstance(one, Agent)]
    (Path(layout.public) / "agent.json").write_text(one.text())


def test_without_hours_it_may_always(layout: Layout) -> None:
    assert closed(layout, NOON) == ""
    made = UpdatesAutomatic().compile({"packages": "security"})
    assert not [one for one in made if isinstance(one, Agent)]


@pytest.mark.parametrize(
    ("hours", "open_at", "closed_at"),
    [
        ("15:30-21:00", (15.5, 18, 20.98), (0, 12, 15.48, 21, 23)),
        ("22:00-06:00", (22, 23.9, 0, 5.9), (6, 12, 21.9)),
    ],
)
def test_hours_are_kept(layout: Layout, hours: str, open_at: list[float], closed_at: list[float]) -> None:
    write(layout, hours)
    midnight = NOON - 12 * HOUR
    assert [closed(layout, midnight + at * HOUR) for at in open_at] == [""] * len(open_at)
    told = f"the school lets packages be installed from {hours[:5]} on"
    assert [closed(layout, midnight + at * HOUR) for at in closed_at] == [told] * len(closed_at)


@pytest.mark.parametrize(
    "said",
    [
        {"install_begin": 930, "install_minutes": 0, "v": 1},
        {"install_begin": -1, "install_minutes": 60, "v": 1},
        {"install_begin": 1440, "install_minutes": 60, "v": 1},
        {"install_begin": True, "install_minutes": 1, "v": 1},
        {"install_begin": 930, "install_minutes": 60, "v": 2},
        [1],
    ],
)
def test_what_is_no_time_closes_nothing(layout: Layout, said: object) -> None:
    (Path(layout.public) / "agent.json").write_text(json.dumps(said))
    assert closed(layout, NOON) == ""
    write(layout, "15:30-21:00")
    assert closed(layout, NOON) != "" and decided(layout)["install_begin"] == 930, "the control"
