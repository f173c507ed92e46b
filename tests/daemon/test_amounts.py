"""What agent.yaml may say of learning content."""

from __future__ import annotations

import pytest

from agent.core.errors import BookbagError
from agent.daemon.amounts import PER_DAY, RATE, SHARE, Amounts
from agent.daemon.settings import read_settings


def settings(text: str) -> Amounts:
    return read_settings(f"site: north\nurls: []\n{text}\n".encode(), "agent.yaml").content


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("", Amounts(RATE, PER_DAY, 0, SHARE)),
        ("content-rate: 1M", Amounts(rate=1 << 20)),
        ("content-rate: 0", Amounts(rate=0)),
        ("content-rate: 512", Amounts(rate=512)),
        ("content-per-day: 0", Amounts(per_day=0)),
        ("content-per-day: 2G", Amounts(per_day=2 << 30)),
        ("content-room: 8G", Amounts(room=8 << 30)),
        ("content-room: 5%", Amounts(share=5)),
        ("content-room: 0", Amounts(share=0)),
    ],
)
def test_amounts(text: str, amounts: Amounts) -> None:
    assert settings(text) == amounts


@pytest.mark.parametrize(
    "text",
    [
        "content-rate: fast",
        "content-rate: -1",
        "content-rate: 1.5M",
        "content-rate: 1 M",
        "content-rate: [1]",
        "content-rate: 64k",
        "content-rate: true",
        "content-per-day: 50%",
        "content-room: 100%",
        "content-room: half",
        "content-room: 9999999G",
    ],
)
def test_what_is_no_amount_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(BookbagError) as caught:
        settings(text)
    assert caught.value.code == "bad-config"
    assert caught.value.place.startswith("agent.yaml:3")


def test_sane_for_two_megabits_a_second() -> None:
    """A quarter of the line, and no more than a third of a day of it."""
    line = 2_000_000 / 8
    assert line / 8 <= RATE <= line / 3
    assert PER_DAY <= 24 * 3600 * RATE / 3
