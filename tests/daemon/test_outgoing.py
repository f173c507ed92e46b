"""In which order what waits in the outbox is offered to a host."""

from __future__ import annotations

from pathlib import Path

from agent.core.layout import Layout
from agent.daemon import wiring
from agent.daemon.workers.sync import _outgoing
from agent.sync.round import MAX_RETURNS

ASKED = f"enrol-{'0f' * 16}"


def told(n: int) -> str:
    return f"receipt-{'ab' * 16}-{n}"


def test_the_request_to_be_enrolled_goes_first_then_the_oldest(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    assert list(_outgoing(layout)) == []
    wiring.prepare(layout)
    outbox = wiring.open_outbox(layout)
    for n in (3, 1, 2):
        outbox.put(told(n), b"x")
    outbox.put(ASKED, b"y")
    assert list(_outgoing(layout)) == [(ASKED, b"y"), *((told(n), b"x") for n in (3, 1, 2))]


def test_of_more_than_a_round_tries_each_gets_its_turn(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    wiring.prepare(layout)
    outbox = wiring.open_outbox(layout)
    names = [told(n) for n in range(1, MAX_RETURNS + 20)]
    for name in names:
        outbox.put(name, b"x")
    outbox.put(ASKED, b"y")
    first = set()
    for _ in range(1000):
        tried = [name for name, _ in _outgoing(layout)]
        assert tried[0] == ASKED and sorted(tried[1:]) == sorted(names)
        first |= set(tried[1 : MAX_RETURNS + 1])
        if first == set(names):
            return
    raise AssertionError("some are never tried")
