"""What a catalogue may say: its words end up on terminals and in pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.trust.catalogue import Catalogue
from tests.trust.offers import catalogue, offer


def test_words_of_any_language_pass() -> None:
    item = offer("rivers", "Rivers — الأنهار\u200f (a “first” look)", subject="geography", grade=("5a",))
    assert Catalogue.from_bytes(catalogue("north", "ict", item)).items == (item,)


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\n", "\x7f", "\x9b", "\u2028", "\u2029"])
@pytest.mark.parametrize("field", ["title", "subject", "licence", "grade", "audience"])
def test_no_control_character_gets_to_a_terminal(char: str, field: str) -> None:
    text = f"a{char}b"
    more: dict[str, Any] = {"grade": (text,), "audience": {"year": (text,)}}
    item = replace(offer("rivers"), **{field: {"title": {"en": text}, **more}.get(field, text)})
    with pytest.raises(BookbagError, match="control characters") as caught:
        Catalogue.from_bytes(catalogue("north", "ict", item))
    assert (caught.value.code, caught.value.place) == ("bad-metadata", "items[0]")
