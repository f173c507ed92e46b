"""What policy decides about Bookbag itself: before agent.yaml, within bounds, as long as it holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.layout import Layout
from agent.daemon.workers.configure import BOUNDS, decided
from agent.policy import kinds
from agent.policy.resources.agent import PATH, Agent
from tests.daemon import test_end_to_end
from tests.daemon.laptop import SandboxLaptop, until
from tests.sync.server import Host
from tests.trust.school import School

school = test_end_to_end.school
host = test_end_to_end.host
enrol_file = test_end_to_end.enrol_file
GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "public" / "agent.json"
POLICY = test_end_to_end.MOTD.partition("resources:")[0] + "settings:\n  agent.poll: 5m\n"
VALUES = {
    **{"poll_s": 900, "report_s": 43_200, "content_rate": 65_536, "content_per_day": 0},
    **{"content_room": 8 << 30, "content_share": 0, "work_begin": 1320, "work_minutes": 450},
}


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    made = Layout(str(tmp_path))
    Path(made.public).mkdir(parents=True)
    yield made


def test_the_golden_file(layout: Layout) -> None:
    assert Agent(VALUES).text().encode() == GOLDEN.read_bytes()
    path = Path(layout.public) / "agent.json"
    assert str(path).endswith(PATH) and decided(layout) == {}
    path.write_bytes(GOLDEN.read_bytes())
    assert decided(layout) == VALUES
    path.write_bytes(GOLDEN.read_bytes().replace(b'"v":1', b'"new":"x","v":1'))
    assert decided(layout) == VALUES, "what a newer one adds is passed over"


@pytest.mark.parametrize(
    "said",
    [
        b"", b"[]", b'{"poll_s":900,"v":2}', b'{"poll_s":900}', b'{"poll_s":59,"v":1}',
        b'{"poll_s":86401,"v":1}',
        b'{"poll_s":true,"v":1}', b'{"poll_s":"900","v":1}', b'{"poll_s":-1,"v":1}', b'{"poll_s":null,"v":1}',
        b'{"v":1,"telemetry":true,"urls":["http://evil.example"],"site":"x"}',
        b'{"v":1,"poll_s":900,"poll_s":60}',
        b'{"v":1,"poll_s":900' + b" " * 5000 + b"}",
    ],
)  # fmt: skip
def test_nothing_else_is_decided_by_it(layout: Layout, said: bytes) -> None:
    (Path(layout.public) / "agent.json").write_bytes(said)
    assert decided(layout) == {}


def test_every_setting_of_ours_is_taken_in_and_within_the_same_bounds() -> None:
    names = {
        name
        for key, setting in kinds.settings().items()
        if key.startswith("agent.")
        for one in setting.compile("22:00-06:00" if key == "agent.hours" else 60)
        for name in (one.values if isinstance(one, Agent) else ())
    }
    assert names == set(BOUNDS)
    for key, name in (("agent.poll", "poll_s"), ("agent.content-rate", "content_rate")):
        least, most = BOUNDS[name]
        value = kinds.settings()[key].value
        assert getattr(value, "most") == most and getattr(value, "least", 0) == least  # noqa: B009


def test_policy_wins_is_healed_and_gives_the_laptops_own_back(
    laptop: SandboxLaptop, school: School, host: Host, enrol_file: Path
) -> None:
    laptop.start()
    assert laptop.cli("enrol", str(enrol_file)).returncode == 0
    laptop.cli("sync")
    assert laptop.status()["sync"]["poll_s"] == 900, "the control: agent.yaml's own"
    school.power("ada", "bo", base=POLICY)
    school.publish(school.at + 1)
    laptop.cli("sync")
    until(lambda: laptop.status()["sync"]["poll_s"] == 300)
    until(lambda: laptop.status()["sync"]["next_in_s"] is not None)
    assert laptop.status()["sync"]["next_in_s"] <= 300
    file = Path(laptop.layout.public) / "agent.json"
    for tampered in ('{"poll_s":86400,"v":1}\n', ""):
        file.write_text(tampered)
        until(lambda: '"poll_s":300' in file.read_text())
        until(lambda: laptop.status()["sync"]["poll_s"] == 300)
    laptop.stop()
    laptop.start()
    until(lambda: laptop.status()["sync"]["poll_s"] == 300)
    school.power("ada", "bo", base=test_end_to_end.MOTD)
    school.publish(school.at + 2)
    laptop.cli("sync")
    until(lambda: laptop.status()["sync"]["poll_s"] == 900)
    assert not file.exists()
    assert laptop.stop() == 0
