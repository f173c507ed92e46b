"""The read side, over a store that the real writers made."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.content.library import Library, Page, title
from agent.core.errors import BookbagError
from tests.content.example import Maker, example_library, page

NUMBERS = bytes(range(256)) * 4096


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = example_library(tmp_path)
    yield made
    made.close()


def whole(library: Library, asked: Page, first: int = 0, length: int | None = None) -> bytes:
    with library.open(asked, first, length) as stream:
        parts = []
        while data := stream.read(1000):
            parts.append(data)
        assert stream.left == 0
    return b"".join(parts)


def test_an_item_says_what_it_is_and_why_it_is_not_here(library: Library) -> None:
    items = {item.key: item for item in library.items()}
    assert items["maths.fractions"].opens
    assert items["maths.fractions-fa"].direction == "rtl"
    assert title(items["maths.fractions"], ["ar-EG", "en"]) == ("ar", "الكسور")
    safety = items["science.lab-safety"]
    assert (safety.opens, safety.state, safety.percent) == (False, "fetching", 63)
    assert "left for learning content" in items["library.dictionary"].message
    with pytest.raises(BookbagError, match="not here yet"):
        library.page("science.lab-safety")
    with pytest.raises(BookbagError) as none:
        library.page("maths.algebra")
    assert none.value.code == "not-found"


def test_a_page_has_type_language_and_hash_and_its_bytes(library: Library) -> None:
    found = library.page("maths.fractions-fa")
    assert (found.path, found.type, found.lang, found.direction) == ("index.html", "text/html", "fa", "rtl")
    data = whole(library, found)
    assert hashlib.sha256(data).hexdigest() == found.etag
    assert "نصف".encode() in data


def test_a_video_has_its_captions(library: Library) -> None:
    video = library.page("science.water")
    assert video.type == "video/mp4"
    assert [(one.lang, one.path) for one in video.tracks] == [("ar", "water.ar.vtt"), ("en", "water.en.vtt")]
    assert library.page("science.water", "water.ar.vtt").direction == "rtl"


@pytest.mark.parametrize(
    ("first", "length"), [(0, 0), (0, 1), (255, 3), (65_535, 65_538), (1_000_000, None), (len(NUMBERS), 0)]
)
def test_any_range_gives_its_bytes(library: Library, first: int, length: int | None) -> None:
    end = None if length is None else first + length
    assert whole(library, library.page("science.water"), first, length) == NUMBERS[first:end]


@pytest.mark.parametrize(("first", "length"), [(-1, 1), (0, 1 << 40), (1 << 40, None), (5, -1)])
def test_a_range_outside_is_refused(library: Library, first: int, length: int | None) -> None:
    with pytest.raises(BookbagError) as refused:
        library.open(library.page("science.water"), first, length)
    assert refused.value.code == "bad-argument"


@pytest.mark.parametrize(
    "path", ["../shelf.json", "/etc/passwd", "no.html", "x" * 10_000, "halves.html\0", "%"]
)
def test_what_is_not_in_an_item_is_not_found(library: Library, path: str) -> None:
    with pytest.raises(BookbagError) as refused:
        library.page("maths.fractions", path)
    assert refused.value.code == "not-found"


def test_chapters_come_in_order(library: Library) -> None:
    titles = [one.title for one in library.chapters("library.alice")]
    assert titles == ["Down the rabbit-hole", "The pool of tears"]
    assert library.chapters("maths.fractions") == ()


@pytest.mark.parametrize(
    ("text", "languages", "expected"),
    [
        ("fraction", ["en"], ("maths.fractions", "")),
        ("الكُسُور", ["ar"], ("maths.fractions", "")),
        ("کسر", ["fa"], ("maths.fractions-fa", "")),
        ("quarters", [], ("maths.fractions", "halves.html")),
        ("POOL tear", ["en"], ("library.alice", "c2.xhtml")),
    ],
)
def test_search_finds_titles_and_pages(
    library: Library, text: str, languages: list[str], expected: tuple[str, str]
) -> None:
    hit = library.search(text, languages)[0]
    assert (hit.item.key, hit.path) == expected


@pytest.mark.parametrize(
    "text", ["", "   ", '"', "' OR 1=1", "a* NOT (b", "NEAR(", "\0", "*", "x" * 100_000, "title: fractions"]
)
def test_no_question_breaks_the_search(library: Library, text: str) -> None:
    library.search(text, ["en"])


def test_a_store_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    library = Library(str(tmp_path / "nothing"))
    assert library.items() == ()
    assert library.search("anything") == []
    with pytest.raises(BookbagError):
        library.page("a.b")


def test_a_new_version_is_seen_at_once_and_the_old_one_reads_to_its_end(tmp_path: Path) -> None:
    make = Maker(tmp_path)
    library = Library(str(tmp_path))
    first = make.add("a.b", make.pack([make.page("index.html", "One", "1")]), {"en": "One"})
    stream = library.open(library.page("a.b"))
    begin = stream.read(10)
    second = make.add("a.b", make.pack([make.page("index.html", "Two", "2")]), {"en": "Two"})
    assert library.item("a.b").title == {"en": "Two"}
    assert whole(library, library.page("a.b")) == page("Two", "2")
    while data := stream.read(100):
        begin += data
    stream.close()
    assert begin == page("One", "1")
    assert first.edition != second.edition
    with pytest.raises(BookbagError, match="gone"):
        library.page("a.b", edition=first.edition[:16])


def test_a_damaged_piece_is_an_error_and_not_other_bytes(tmp_path: Path) -> None:
    make = Maker(tmp_path)
    body = "".join(f"<p>{number}" for number in range(5000))
    make.add("a.b", make.pack([make.page("index.html", "One", body)]), {"en": "One"})
    library = Library(str(tmp_path))
    found = library.page("a.b")
    assert whole(library, found) == page("One", body)
    files = [path for path in (tmp_path / "packs").rglob("*") if path.is_file()]
    pack = max(files, key=lambda path: path.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(pack, 0o640)
    pack.write_bytes(data)
    with pytest.raises(BookbagError) as damaged:
        whole(library, found)
    assert damaged.value.code == "state-corrupt"


def test_reading_leaves_word_of_when_and_of_nothing_else(library: Library, tmp_path: Path) -> None:
    found = library.page("maths.fractions")
    whole(library, found)
    marks = list((tmp_path / "opened").iterdir())
    assert [mark.name for mark in marks] == [f"maths.fractions@{found.edition}"]
    assert marks[0].stat().st_size == 0
