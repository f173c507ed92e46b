"""Trusted time. Each sentence of the design's paragraph on time has a test; the properties hold for any
history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.clock import DAY, TOLERANCE, ClockState, Now, Reading, TrustedClock, by_timetable

BUILD = 1_800_000_000
YEAR = 365 * DAY
IN_1970 = 3_600
IN_2099 = 4_083_000_000


def reading(wall: int, boottime: int = 100, boot: str = "a", ntp: bool = False) -> Reading:
    return Reading(wall, boottime, boot, ntp)


def clock(floor: int = BUILD, boottime: int = 100, boot: str = "a", ceiling: int = 0) -> TrustedClock:
    return TrustedClock(ClockState(floor, boottime, boot, ceiling), build_time=BUILD)


# floor = max(build time, newest signed time believed, last persisted)


def test_the_floor_is_at_least_the_builds_time() -> None:
    assert TrustedClock(None, build_time=BUILD).read(reading(IN_1970, 0)) == Now(BUILD, "good", BUILD)
    assert clock(floor=BUILD - YEAR).read(reading(IN_1970)).floor == BUILD


def test_an_update_raises_the_floor_to_its_build_time_and_not_beyond() -> None:
    """The seconds that passed before the newer build was known are not added on top of it."""
    assert clock(floor=BUILD - YEAR).read(reading(IN_1970, 100 + 50 * DAY)).at == BUILD


def test_the_floor_is_at_least_what_was_persisted() -> None:
    assert clock(floor=BUILD + YEAR).read(reading(BUILD)).floor == BUILD + YEAR


def test_now_is_at_least_the_newest_signed_time_believed() -> None:
    trusted = clock()
    trusted.read(reading(BUILD))
    now = trusted.believe_signed(BUILD + 5 * DAY, root_expires=BUILD + YEAR, targets_expires=BUILD + YEAR)
    assert now == Now(BUILD + 5 * DAY, "good", BUILD)
    assert trusted.believe_signed(BUILD, root_expires=BUILD + YEAR, targets_expires=BUILD + YEAR) == now


# A system clock more than 30 d above floor + elapsed (boottime) is suspect


def test_thirty_days_ahead_is_still_good_and_one_second_more_is_suspect() -> None:
    assert clock().read(reading(BUILD + TOLERANCE)).quality == "good"
    assert clock().read(reading(BUILD + TOLERANCE + 1)).quality == "suspect"


def test_elapsed_boottime_extends_what_is_believed() -> None:
    late = reading(BUILD + TOLERANCE + 10, boottime=110)
    assert clock().read(late).quality == "good"


# now = floor + elapsed; it raises no floor; it is not persisted


def test_a_suspect_clock_gives_floor_plus_elapsed_and_raises_no_floor() -> None:
    trusted = clock()
    now = trusted.read(reading(IN_2099, boottime=100 + 7))
    assert now == Now(BUILD + 7, "suspect", BUILD + 7)
    assert trusted.state.floor == BUILD + 7


def test_uptime_does_not_count_on_top_of_a_build_younger_than_the_boot() -> None:
    assert TrustedClock(None, build_time=BUILD).read(reading(BUILD + 5, boottime=40 * DAY)).at == BUILD + 5


def test_repeating_a_suspect_reading_does_not_make_it_good() -> None:
    trusted = clock()
    for _ in range(100):
        assert trusted.read(reading(IN_2099)).quality == "suspect"
    assert trusted.state.floor == BUILD


# until NTP or newer signed time agrees


def test_ntp_ends_suspicion() -> None:
    trusted = clock(ceiling=BUILD + YEAR)
    assert trusted.read(reading(BUILD + YEAR)).quality == "suspect"
    assert trusted.read(reading(BUILD + YEAR, ntp=True)) == Now(BUILD + YEAR, "good", BUILD)
    assert trusted.read(reading(BUILD + YEAR + 1, boottime=101)).quality == "good"


def test_newer_signed_time_that_agrees_ends_suspicion() -> None:
    trusted = clock()
    wall = BUILD + 100 * DAY
    assert trusted.read(reading(wall)).quality == "suspect"
    now = trusted.believe_signed(wall - 3 * DAY, root_expires=BUILD + YEAR, targets_expires=BUILD + YEAR)
    assert now == Now(wall, "good", BUILD)


def test_newer_signed_time_that_does_not_agree_leaves_the_clock_suspect() -> None:
    trusted = clock()
    trusted.read(reading(IN_2099))
    now = trusted.believe_signed(BUILD + 9 * DAY, root_expires=BUILD + YEAR, targets_expires=BUILD + YEAR)
    assert now == Now(BUILD + 9 * DAY, "suspect", BUILD)


# Online-signed time is never believed beyond the expiry of the newest root and targets


@pytest.mark.parametrize(("root", "targets"), [(YEAR, 2 * YEAR), (2 * YEAR, YEAR)])
def test_signed_time_is_not_believed_beyond_either_expiry(root: int, targets: int) -> None:
    trusted = clock()
    trusted.read(reading(BUILD))
    now = trusted.believe_signed(IN_2099, root_expires=BUILD + root, targets_expires=BUILD + targets)
    assert now == Now(BUILD + YEAR, "good", BUILD)


def test_ntp_is_not_believed_beyond_it_either() -> None:
    """NTP is not authenticated: a neighbour's answer of 2099 must not end the laptop's trust for ever."""
    trusted = clock(ceiling=BUILD + YEAR)
    assert trusted.read(reading(IN_2099, ntp=True)) == Now(BUILD, "suspect", BUILD)
    assert trusted.read(reading(BUILD + YEAR, ntp=True)).quality == "good"


def test_newer_offline_signatures_lift_that_bound() -> None:
    trusted = clock(ceiling=BUILD + YEAR)
    true = BUILD + YEAR + 90 * DAY
    assert trusted.read(reading(true, ntp=True)).quality == "suspect"
    now = trusted.believe_signed(true - DAY, root_expires=true + YEAR, targets_expires=true + YEAR)
    assert now == Now(true, "good", BUILD)


def test_ntp_is_not_believed_at_all_before_anything_was_signed() -> None:
    """A lying answer at the first boot would otherwise put the time in 2099 for ever."""
    assert clock().read(reading(IN_2099, ntp=True)) == Now(BUILD, "suspect", BUILD)


# Told time falls when two persons replace the keys that told it


def test_what_stolen_online_keys_told_is_void_once_they_are_replaced() -> None:
    trusted = clock()
    trusted.read(reading(BUILD))
    life = BUILD + YEAR
    lie = trusted.believe_signed(BUILD + 75 * DAY, root_expires=life, targets_expires=life, by="stolen")
    assert (lie.at, lie.floor) == (BUILD + 75 * DAY, BUILD)
    again = trusted.believe_signed(BUILD + 60, root_expires=life, targets_expires=life, by="stolen")
    assert again.at == BUILD + 75 * DAY  # the same keys never take time back
    healed = trusted.believe_signed(BUILD + 60, root_expires=life, targets_expires=life, by="fresh")
    assert healed == Now(BUILD + 60, "good", BUILD)


def test_a_clock_believed_on_a_lie_moves_no_floor() -> None:
    trusted = clock()
    trusted.read(reading(BUILD))
    life = BUILD + YEAR
    trusted.believe_signed(BUILD + 75 * DAY, root_expires=life, targets_expires=life, by="stolen")
    assert trusted.read(reading(BUILD + 80 * DAY)) == Now(BUILD + 80 * DAY, "good", BUILD)
    healed = trusted.believe_signed(BUILD + 60, root_expires=life, targets_expires=life, by="fresh")
    assert healed == Now(BUILD + 60, "suspect", BUILD)  # the system clock is still 80 days ahead


# Never backwards


def test_a_clock_in_1970_does_not_move_time_back() -> None:
    trusted = clock()
    trusted.read(reading(BUILD + DAY))
    assert trusted.read(reading(IN_1970, boottime=130)) == Now(BUILD + DAY + 30, "good", BUILD + DAY + 30)


def test_after_a_restart_the_seconds_since_boot_have_passed() -> None:
    assert clock(boottime=5_000).read(reading(IN_1970, boottime=40, boot="b")).at == BUILD + 40


def test_a_machine_that_cannot_name_its_boots_adds_nothing() -> None:
    trusted = clock(boot="")
    for _ in range(3):
        assert trusted.read(reading(IN_1970, boottime=900, boot="")).at == BUILD


def test_signed_time_needs_a_reading_to_be_weighed_against() -> None:
    with pytest.raises(ValueError, match="call read first"):
        clock().believe_signed(BUILD, root_expires=BUILD, targets_expires=BUILD)


# Properties, for any history of clocks, restarts, lost batteries, NTP and signatures

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(0, 400 * DAY)),
        st.tuples(st.just("set"), st.sampled_from([IN_1970, 0, -5, BUILD, IN_2099, 1 << 40])),
        st.tuples(st.just("shift"), st.integers(-YEAR, YEAR)),
        st.tuples(st.just("reboot"), st.integers(0, 200 * DAY)),
        st.tuples(st.just("ntp"), st.integers(0, 1)),
        st.tuples(st.just("signed"), st.integers(-YEAR, 3 * YEAR)),
        st.tuples(st.just("reload"), st.just(0)),
    ),
    max_size=30,
)


class Laptop:
    """True time, a system clock that may be anything, boots, and our clock, reloaded from what it
    persisted."""

    def __init__(self) -> None:
        self.true = self.wall = BUILD + 10 * DAY
        self.boottime, self.boot, self.ntp = 100, 1, False
        self.trusted = TrustedClock(None, build_time=BUILD)

    def step(self, kind: str, amount: int) -> Now:
        before = self.read()
        if kind == "pass":
            self.true += amount
            self.wall += amount
            self.boottime += amount
        elif kind == "set":
            self.wall = amount
        elif kind == "shift":
            self.wall += amount
        elif kind == "reboot":
            self.true += amount
            self.wall += amount
            self.boottime, self.boot = min(amount, 30), self.boot + 1
        elif kind == "ntp":
            self.ntp = bool(amount)
        elif kind == "signed":
            limit = self.true + YEAR
            return self.trusted.believe_signed(
                self.true + amount, root_expires=limit + DAY, targets_expires=limit
            )
        elif kind == "reload":
            self.trusted = TrustedClock(self.trusted.state, build_time=BUILD)
            self.read()
        return before

    def read(self) -> Now:
        if self.ntp:
            self.wall = self.true
        return self.trusted.read(Reading(self.wall, self.boottime, f"boot-{self.boot}", self.ntp))


@given(STEPS)
def test_time_never_goes_backwards(steps: list[tuple[str, int]]) -> None:
    laptop = Laptop()
    latest = 0
    for kind, amount in steps:
        for now in (laptop.step(kind, amount), laptop.read()):
            assert now.at >= latest
            assert BUILD <= now.floor <= now.at
            latest = now.at


@given(STEPS)
def test_a_suspect_clock_never_raises_the_floor(steps: list[tuple[str, int]]) -> None:
    laptop = Laptop()
    for kind, amount in steps:
        laptop.step(kind, amount)
        state = laptop.trusted.state
        same_boot = state.boot_id == f"boot-{laptop.boot}"
        elapsed = laptop.boottime - (state.boottime if same_boot else 0)
        now = laptop.read()
        if now.quality == "suspect":
            assert now.at == max(state.floor, state.told) + elapsed
            assert now.floor == state.floor + elapsed
            assert laptop.wall > now.at + TOLERANCE


@given(STEPS)
def test_after_ntp_and_signed_time_agree_the_time_is_true(steps: list[tuple[str, int]]) -> None:
    """Whatever happened, unless a believed signature or a creeping clock was already ahead of true time."""
    laptop = Laptop()
    for kind, amount in steps:
        laptop.step(kind, amount)
    laptop.ntp = True
    laptop.read()
    limit = laptop.true + YEAR
    now = laptop.trusted.believe_signed(laptop.true, root_expires=limit, targets_expires=limit)
    assert now.quality == "good"
    assert now.at >= laptop.true


# timetables go by the same time, but for what NTP takes back


def judged(trusted: TrustedClock, found: Reading) -> int | None:
    return by_timetable(trusted.read(found), found)


def test_timetables_go_by_trusted_time() -> None:
    assert judged(clock(), reading(BUILD + 60)) == BUILD + 60
    ahead = clock(floor=BUILD + 3600)
    assert judged(ahead, reading(BUILD)) == BUILD + 3600, "a clock put back moves no lesson"


def test_ntp_puts_timetables_back_by_a_day_at_most() -> None:
    hour = clock(floor=BUILD + 3600, ceiling=BUILD + YEAR)
    assert judged(hour, reading(BUILD, ntp=True)) == BUILD
    days = clock(floor=BUILD + 2 * DAY, ceiling=BUILD + YEAR)
    assert judged(days, reading(BUILD, ntp=True)) is None


def test_a_clock_that_stopped_or_leapt_gives_no_time_for_timetables() -> None:
    assert judged(clock(), reading(IN_1970)) is None
    assert judged(clock(), reading(IN_2099)) is None
