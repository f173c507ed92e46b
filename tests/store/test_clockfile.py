"""The clock file: time goes on from where it was, and neither damage nor a full disk stops it."""

from __future__ import annotations

from pathlib import Path

from agent.core.clock import BUILD_TIME, DAY, Now
from agent.store.clockfile import ClockFile
from tests.store.programs import FixedClock

YEAR = 365 * DAY


def test_time_goes_on_after_a_restart_with_an_empty_battery(tmp_path: Path) -> None:
    path = f"{tmp_path}/clock.json"
    at = ClockFile(path, FixedClock(BUILD_TIME + DAY)).now().at
    assert at == BUILD_TIME + DAY
    assert ClockFile(path, FixedClock(0, 40, "next boot")).now() == Now(at + 40, "good", at + 40)


def test_signed_time_is_remembered(tmp_path: Path) -> None:
    path = f"{tmp_path}/clock.json"
    file = ClockFile(path, FixedClock(BUILD_TIME + YEAR))
    assert file.now().quality == "suspect"
    signed = BUILD_TIME + YEAR - DAY
    believed = file.believe_signed(signed, root_expires=signed + YEAR, targets_expires=signed + YEAR)
    assert believed == Now(BUILD_TIME + YEAR, "good", BUILD_TIME)
    assert ClockFile(path, FixedClock(0, 0, "b")).now().at == BUILD_TIME + YEAR


def test_the_bound_on_signed_time_is_remembered_too(tmp_path: Path) -> None:
    path = f"{tmp_path}/clock.json"
    ClockFile(path, FixedClock(BUILD_TIME)).believe_signed(
        BUILD_TIME, root_expires=BUILD_TIME + YEAR, targets_expires=BUILD_TIME + 2 * YEAR
    )
    clock = FixedClock(4_083_000_000, ntp=True)
    assert ClockFile(path, clock).now().quality == "suspect"
    clock.now = BUILD_TIME + YEAR
    assert ClockFile(path, clock).now().quality == "good"


def test_a_damaged_file_is_set_aside_and_time_restarts_from_the_build(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    for damage in (b"", b"{", b"\0" * 300):
        path.write_bytes(damage)
        file = ClockFile(str(path), FixedClock(BUILD_TIME + 5))
        assert file.now().at == BUILD_TIME + 5
        assert file.trouble is not None
        assert file.trouble.code == "state-corrupt"
        assert (tmp_path / "clock.json.corrupt").read_bytes() == damage
        after = ClockFile(str(path), FixedClock(0, 0, "b"))
        assert (after.now().at, after.trouble) == (BUILD_TIME + 5, None)


def test_what_cannot_be_written_is_still_remembered_by_the_process(tmp_path: Path) -> None:
    clock = FixedClock(BUILD_TIME + DAY)
    file = ClockFile(f"{tmp_path}/missing/clock.json", clock)
    assert file.now().at == BUILD_TIME + DAY
    assert file.trouble is not None
    assert file.trouble.code == "not-found"
    clock.now = 0
    assert file.now().at == BUILD_TIME + DAY


def test_the_same_second_is_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    clock = FixedClock(BUILD_TIME + DAY)
    file = ClockFile(str(path), clock)
    file.now()
    before = path.stat().st_ino
    file.now()
    assert path.stat().st_ino == before
    clock.now += 1
    file.now()
    assert path.stat().st_ino != before
