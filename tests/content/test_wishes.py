"""public/content.json is read strictly, although root alone writes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.content import wishes
from agent.core.errors import BookbagError
from tests.content.test_formats import WISHES

Value = dict[str, object]


def read(tmp_path: Path, value: object) -> wishes.Wishes | None:
    path = tmp_path / "content.json"
    path.write_text(json.dumps(value))
    return wishes.read(str(path))


def golden() -> Value:
    value = json.loads(wishes.to_bytes(WISHES))
    assert isinstance(value, dict)
    return value


def test_none_is_none(tmp_path: Path) -> None:
    assert wishes.read(f"{tmp_path}/content.json") is None


def test_it_begins_with_what_it_was_made_from() -> None:
    assert wishes.to_bytes(WISHES).startswith(wishes.begin(WISHES.of))
    assert not wishes.to_bytes(WISHES).startswith(wishes.begin("3-7-12"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "../x"),
        ("id", ""),
        ("role", "a/b"),
        ("manifest", "0" * 63),
        ("manifest", "G" * 64),
        ("manifest_size", 0),
        ("manifest_size", 2 << 20),
        ("size", -1),
        ("stored", 1 << 60),
        ("files", 0),
        ("title", []),
        ("title", {"en": 3}),
        ("title", {"en": "a" * 1000}),
        ("grade", "5"),
        ("pin", "yes"),
        ("due", 20270301),
    ],
)
def test_what_is_no_wish_is_refused(name: str, value: object, tmp_path: Path) -> None:
    whole = golden()
    whole["items"][0][name] = value  # type: ignore[index]
    with pytest.raises(BookbagError) as caught:
        read(tmp_path, whole)
    assert caught.value.code == "bad-content"


@pytest.mark.parametrize(
    "value", [[], {"v": 2, "of": "", "items": [], "others": []}, {"v": 1, "items": 3, "others": []}]
)
def test_what_is_no_list_is_refused(value: object, tmp_path: Path) -> None:
    with pytest.raises(BookbagError):
        read(tmp_path, value)


def test_an_item_twice_is_refused(tmp_path: Path) -> None:
    whole = golden()
    whole["items"] *= 2  # type: ignore[operator]
    with pytest.raises(BookbagError, match="twice"):
        read(tmp_path, whole)
