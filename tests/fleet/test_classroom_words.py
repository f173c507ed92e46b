"""The golden files of what a teacher's program and the service say to each other, and answers that are
none."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.fleet.classroom import words
from agent.fleet.classroom.words import Look, Row, View
from agent.trust import dsse
from agent.trust.keys import SigningKey

GOLDEN = Path(__file__).parents[1] / "cases" / "formats" / "fleet" / "class"
KEY = SigningKey.from_raw(bytes(range(32)))
LOOK = Look("9b", "north", 1_800_000_000)
VIEW = View(
    "north",
    1,
    1_800_000_000,
    1_820_000_000,
    (
        Row("ana", "ab" * 16, "cd" * 32, "9b"),
        Row(
            "ben", "12" * 16, "34" * 32, "9b", "56" * 16, 1_799_999_000, "exam", 1_800_005_400, "lee", "done",
            "78" * 16, "cannot file it", 1_799_999_000, 1_799_999_060,
        ),
    ),
)  # fmt: skip
ENVELOPE = dsse.sign(b'{"kind":"session","v":1}', dsse.ORDER_TYPE, [KEY])


def test_golden_files_are_read_and_written() -> None:
    look = (GOLDEN / "look.json").read_bytes()
    assert words.make_look(LOOK, KEY) == look
    assert words.read_look(dsse.parse(look).payload) == LOOK
    view = (GOLDEN / "view.json").read_bytes()
    assert (VIEW.to_bytes(), words.read_view(view)) == (view, VIEW)
    orders = (GOLDEN / "orders.json").read_bytes()
    assert (words.make_orders([ENVELOPE]), words.read_orders(orders)) == (orders, (ENVELOPE,))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b'"v":1', b'"v":2'), "format-too-new"),
        ((b'"name":"ana"', b'"name":"\\u001b[2J"'), "bad-envelope"),
        ((b'"epoch":1', b'"epoch":0'), "bad-envelope"),
        ((b'"laptops":[', b'"laptops":[[],'), "bad-envelope"),
        ((b'"held":"78', b'"held":"zz'), "bad-envelope"),
        ((b"{", b"["), "bad-json"),
    ],
)
def test_an_answer_that_is_none_is_not_believed(change: tuple[bytes, bytes], code: str) -> None:
    view = (GOLDEN / "view.json").read_bytes()
    assert change[0] in view
    with pytest.raises(BookbagError) as error:
        words.read_view(view.replace(*change, 1))
    assert error.value.code == code
    assert words.read_view(view) == VIEW, "the control"


def test_no_answer_fills_the_memory() -> None:
    many = tuple(Row(f"lap-{n}", "ab" * 16, "cd" * 32, "9b") for n in range(words.MOST_ROWS))
    full = View("north", 1, 1, 2, many)
    assert len(words.read_view(full.to_bytes()).rows) == words.MOST_ROWS
    for one in (View("north", 1, 1, 2, (*many, many[0])).to_bytes(), b" " * (words.MOST_VIEW + 1)):
        with pytest.raises(BookbagError):
            words.read_view(one)
