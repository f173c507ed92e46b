"""From a signed decision to a receiver and to the student's eyes, with nothing in between but what ships."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.telemetry.otlp.decode import groups
from agent.telemetry.otlp.understand import understand
from agent.telemetry.report import Report
from agent.trust.identity import installation_id
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.daemon.test_commands import Site
from tests.telemetry.receiver import TAKEN, Receiver, receiving
from tests.telemetry.scene import BOTH, POLICY, Scene, scene


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


@pytest.fixture
def laptop() -> Iterator[SandboxLaptop]:
    """Not running yet."""
    with sandbox() as made:
        yield made


def reports(receiver: Receiver) -> dict[str, Report]:
    """The newest report of each record that the receiver has."""
    found: dict[str, Report] = {}
    for one in receiver.taken:
        signal = "logs" if one.path.endswith("/v1/logs") else "metrics"
        understood = understand(signal, groups("logs" if signal == "logs" else "metrics", one.body))
        assert not understood.refused, understood.why
        found |= {report.record: report for report in understood.reports}
    return found


def shown(world: Scene, *words: str) -> dict[str, Any]:
    done = world.laptop.cli("telemetry", *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_policy_names_is_reported_and_the_student_sees_all_of_it(world: Scene) -> None:
    world.now()
    told = reports(world.receiver)
    assert set(told) == {"compliance", "health"}
    device = world.laptop.status()["device"]
    for report in told.values():
        assert report.laptop["installation"] == installation_id("north", device)
        assert device not in str(report)
        assert report.cause == "asked"
    assert told["compliance"].values["outcomes"] == {"in-force": 1}
    assert told["compliance"].values["clock"] == "good"
    assert told["health"].values["disk-total"]
    for one in world.receiver.taken:
        assert one.headers["content-type"] == "application/x-protobuf"
        assert one.headers["content-encoding"] == "gzip"

    last = shown(world, "--last")
    assert {one["signal"] for one in last["sent"]} == {"logs", "metrics"}
    for entry in last["sent"]:
        assert entry["outcome"] == "taken (200)"
        (report,) = entry["reports"]
        assert report["values"] == dict(told[report["record"]].values)
        assert report["laptop"] == dict(told[report["record"]].laptop)
    raw = world.laptop.cli("telemetry", "--raw", "--json")
    assert bytes.fromhex(json.loads(raw.stdout)["hex"]) in [one.body for one in world.receiver.taken]
    text = world.laptop.cli("telemetry").stdout
    assert "compliance, health" in text and "taken (200)" in text
    assert "battery-level" in world.laptop.cli("telemetry", "--fields").stdout
    assert "compliance, health; last taken" in world.laptop.cli("status").stdout


def test_every_file_about_it_is_there_for_everyone_to_read(world: Scene) -> None:
    world.now()
    folder = Path(world.laptop.layout.telemetry)
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "running"]
    assert len(files) > 4
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444, path
    for path in (folder, folder / "sent"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o555 == 0o555


def test_off_means_off_at_once(world: Scene) -> None:
    """By policy: what waits is removed unsent. Then by agent.yaml. Each time nothing leaves."""
    world.receiver.answer = lambda _: (503, {}, b"")
    world.now(code=0)
    assert shown(world)["waiting"] == 2
    before = len(world.receiver.taken)
    world.decide("off")
    world.now()
    assert shown(world) | {"sent": []} == {
        "v": 1,
        "records": [],
        "decided": True,
        "waiting": 0,
        "dropped": {"off": 2},
        "sent": [],
    }
    assert len(world.receiver.taken) == before

    world.decide(BOTH)
    path = Path(world.laptop.layout.agent_yaml)
    path.write_text(path.read_text() + "telemetry: off\n")
    until(lambda: world.laptop.status()["telemetry"]["on"] is False)
    done = world.laptop.cli("telemetry", "--now")
    assert done.returncode == 1 and "switched off" in done.stderr
    assert world.laptop.cli("sync").returncode in (0, 2)
    assert len(world.receiver.taken) == before


def test_fewer_records_means_fewer(world: Scene) -> None:
    world.decide("[health]")
    world.now()
    assert set(reports(world.receiver)) == {"health"}
    listed = shown(world, "--fields")["records"]
    assert {one["record"]: one["on"] for one in listed} == {"compliance": False, "health": True}


def test_a_receiver_that_is_ill_makes_nobody_else_ill(world: Scene) -> None:
    """I-3: policy goes on, sync goes on, and the reports arrive when it is well again."""
    world.receiver.answer = lambda _: (500, {}, b"")
    world.now()
    assert world.laptop.cli("sync").returncode == 0
    status = world.laptop.status()
    assert [one["about"] for one in status["errors"]] == ["telemetry"]
    assert status["exit"] == 0
    world.receiver.answer = lambda _: (429, {"Retry-After": "3600"}, b"")
    world.now()
    world.receiver.taken.clear()
    assert world.laptop.cli("sync").returncode == 0
    assert not world.receiver.taken, "it asked to be left alone"
    world.receiver.answer = lambda _: TAKEN
    world.now()
    assert set(reports(world.receiver)) == {"compliance", "health"}
    assert world.laptop.status()["errors"] == []


def test_whoever_syncs_from_a_stick_waits_for_no_report(world: Scene, tmp_path: Path) -> None:
    world.receiver.answer = lambda _: (503, {}, b"")
    world.now()
    world.receiver.taken.clear()
    stick = tmp_path / "stick"
    shutil.copytree(world.school.mirror, stick)
    assert world.laptop.cli("sync", "--from", str(stick)).returncode == 0
    assert not world.receiver.taken
    assert shown(world)["waiting"] == 2


def test_a_change_of_state_is_told_by_itself(world: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock: the file that the command worker writes is enough."""
    world.now()
    assert reports(world.receiver)["compliance"].values.get("locked") is None
    path = Path(world.laptop.layout.public) / "lock.json"
    lock = {"v": 1, "locked": True, "grade": 2, "message": {"en": "lost"}, "challenge": "K7M2-QXD4"}
    path.with_suffix(".new").write_text(json.dumps(lock))
    os.rename(path.with_suffix(".new"), path)
    world.laptop.client.plan()  # any news of any part
    until(lambda: reports(world.receiver)["compliance"].values.get("locked") is True, 60)
    told = reports(world.receiver)["compliance"]
    assert (told.cause, told.values["lock-grade"]) == ("change", 2)


def test_a_real_lock_is_told_within_moments(tmp_path: Path, laptop: SandboxLaptop) -> None:
    with receiving() as receiver:
        site = Site(tmp_path, laptop)
        path = Path(laptop.layout.agent_yaml)
        path.write_text(path.read_text() + f'telemetry-url: "{receiver.url}"\n')
        site.school.policy(reports=POLICY.format(records=BOTH))
        site.send()
        until(lambda: laptop.status()["telemetry"]["url"] == receiver.url)
        assert laptop.cli("telemetry", "--now").returncode == 0
        lock = site.order("lock", args={"message": {"en": "Please bring it back"}, "contact": "office"})
        site.send(lock)
        until(lambda: reports(receiver)["compliance"].values.get("locked") is True, 60)
        told = reports(receiver)["compliance"]
        assert told.cause == "change"
        assert told.values["lock-grade"] == site.notice("lock.json")["grade"]
        assert b"bring it back" not in b"".join(one.body for one in receiver.taken)
        laptop.stop()


def test_without_any_policy_nothing_is_even_looked_at(tmp_path: Path) -> None:
    with scene(tmp_path, records="off") as world:
        world.school.policy(
            other="policy: other\nrank: school\nowner: a@b.example\nreview-by: '2027-08-01'\n"
            "settings:\n  browser.homepage: https://a.example/\n"
        )
        world.school.at += 1
        world.school.publish(world.school.at)
        assert world.laptop.cli("sync").returncode in (0, 2)  # 0: a round of its own was quicker
        assert world.laptop.cli("explain", "browser.homepage").returncode == 0
        world.now()
        assert shown(world)["decided"] is False
        assert not world.receiver.taken
        assert not (world.laptop.folder / ".sandbox" / "sensors.json").exists(), "no sensor was read"
