"""When to do what next, as tables."""

from __future__ import annotations

import pytest

from agent.daemon.schedule import COALESCE, STORM_BURST, Backoff, Storm, first_sync, next_sync


@pytest.mark.parametrize(
    ("bad", "retry_after", "chance", "seconds"),
    [
        (0, 0, 0.5, 900),
        (0, 0, 0.0, 810),
        (1, 0, 0.5, 1800),
        (2, 0, 0.5, 3600),
        (50, 0, 0.5, 3600),  # the worst factor is 4
        (1, 7200, 0.5, 7200),  # the server asked for more
        (0, 10**9, 0.5, 6 * 3600),  # but not for ever
    ],
)
def test_the_next_sync(bad: int, retry_after: float, chance: float, seconds: float) -> None:
    assert next_sync(900, bad, retry_after, chance) == pytest.approx(seconds)


def test_the_first_sync_is_spread_over_a_minute_at_most() -> None:
    assert first_sync(900, 0.999) < 60
    assert first_sync(10, 0.999) < 1


def test_backing_off_doubles_then_quarantines_and_one_good_run_forgives() -> None:
    backoff = Backoff()
    pauses = [backoff.misbehaved(100, 0.5) for _ in range(6)]
    assert pauses == pytest.approx([1, 2, 4, 8, 300, 300])
    assert backoff.quarantined is True
    assert backoff.wait(100) == pytest.approx(300)
    assert backoff.wait(500) == 0
    backoff.behaved()
    assert backoff.count == 0
    assert backoff.wait(100) == 0


def test_a_storm_is_let_through_as_a_burst_then_slowed_to_one_in_two_seconds_and_never_beyond_ten() -> None:
    storm = Storm()
    now = 1000.0
    assert [storm.delay(now) for _ in range(STORM_BURST)] == [COALESCE] * STORM_BURST
    slow = [storm.delay(now) for _ in range(20)]
    assert slow[0] == pytest.approx(2)
    assert max(slow) == pytest.approx(10)
    assert storm.delay(now + 3600) == COALESCE
