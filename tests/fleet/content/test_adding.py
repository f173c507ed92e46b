"""`bookbag-fleet content`: what teachers bring becomes items, and what is wrong with it is said with its
place."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.fleet.content import records
from agent.fleet.content.adding import Asked, add
from agent.fleet.content.captions import as_vtt
from agent.fleet.content.documents import read_pdf
from agent.fleet.content.epub import read_book
from agent.fleet.content.pages import read_page
from agent.fleet.folder import Folder
from tests.content.example import page, picture
from tests.fleet.content import material
from tests.fleet.desk import Desk, make_desk


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return make_desk(tmp_path_factory.mktemp("desk") / "north")


@pytest.fixture
def desk(template: Desk, tmp_path: Path) -> Desk:
    return template.copy(tmp_path / "north")


def added(desk: Desk, path: Path, *more: str) -> dict[str, Any]:
    return desk.run("content", "add", str(path), *more).value


def listing(desk: Desk, name: str) -> dict[str, dict[str, Any]]:
    shown = desk.run("content", "show", name, "--files").value
    return {one["path"]: one for one in shown["listing"]}


def test_a_folder_becomes_a_site_and_says_its_language(desk: Desk, tmp_path: Path) -> None:
    got = added(desk, material.site(tmp_path / "Rivers of Iran", lang="fa", title="رودها"))
    assert (got["id"], got["form"], got["entry"], got["lang"]) == (
        "rivers-of-iran",
        "site",
        "index.html",
        "fa",
    )
    assert got["title"] == {"fa": "رودها"}
    assert got["files"] == 5
    assert listing(desk, "rivers-of-iran")["p1.html"]["title"] == "Page 1 of رودها"
    assert (desk.root / "content/ict/rivers-of-iran.yaml").is_file()
    assert "/blobs/" in (desk.root / ".gitignore").read_text()


def test_a_zip_with_one_folder_inside_is_that_folder(desk: Desk, tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {
        "game/index.html": page("Game", "x"),
        "game/a.js": "1",
        "game/i.png": picture(),
    }
    got = added(desk, material.archive(tmp_path / "game.zip", files))
    assert (got["form"], got["entry"]) == ("site", "index.html")
    assert set(listing(desk, "game")) == {"index.html", "a.js", "i.png"}


def test_a_book_has_its_chapters_in_order(desk: Desk, tmp_path: Path) -> None:
    got = added(desk, material.book(tmp_path / "two.epub", lang="ar", way="rtl"))
    assert (got["form"], got["entry"], got["lang"]) == ("book", "OEBPS/text/two.xhtml", "ar")
    assert got["title"] == {"ar": "Two in one"}
    titles = {path: one["title"] for path, one in listing(desk, "two").items() if one["title"]}
    assert titles["OEBPS/text/two.xhtml"] == "Chapter two first"
    assert titles["OEBPS/text/one a.xhtml"] == "Then one"


def test_a_film_brings_its_captions_along(desk: Desk, tmp_path: Path) -> None:
    got = added(desk, material.film(tmp_path), "--title", "en=Rivers", "--lang", "en")
    assert (got["form"], got["entry"]) == ("video", "rivers.mp4")
    assert set(listing(desk, "rivers")) == {
        "rivers.mp4",
        "rivers.en.vtt",
        "rivers.ar.vtt",
        "rivers.fr.descriptions.vtt",
    }


def test_a_course_of_films_is_in_the_order_of_its_numbers(desk: Desk, tmp_path: Path) -> None:
    films: dict[str, bytes | str] = {f"lesson {number}.mp4": bytes(1000 + number) for number in (1, 2, 10)}
    got = added(desk, material.folder(tmp_path / "course", films), "--title", "en=Course")
    assert (got["form"], got["entry"]) == ("video", "lesson 1.mp4")
    folder = Folder(desk.root)
    files = {file.path: file.order for file in _files(folder, "course")}
    assert sorted(files, key=lambda path: files[path]) == ["lesson 1.mp4", "lesson 2.mp4", "lesson 10.mp4"]


def _files(folder: Folder, name: str) -> tuple[Any, ...]:
    from agent.fleet.content.reuse import known
    from agent.fleet.content.store import Store

    return known(Store(folder).blobs, records.find(folder, name)[1].manifest).files


def test_a_paper_says_its_title_and_language(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(material.PDF)
    got = added(desk, tmp_path / "paper.pdf")
    assert (got["form"], got["lang"], got["title"]) == ("document", "ar-EG", {"ar-EG": "A (small) paper"})


def test_what_people_said_stays_and_files_make_a_version(desk: Desk, tmp_path: Path) -> None:
    root = material.site(tmp_path / "rivers")
    whom = ("--grade", "5", "--grade", "6", "--audience", "year=9", "class=9b", "--audience", "class=9c")
    what = ("--subject", "geography", "--licence", "CC-BY-4.0", "--pin", "--due", "2027-03-01")
    first = added(desk, root, *whom, *what)
    assert (first["version"], first["audience"]) == (1, {"year": ["9"], "class": ["9b", "9c"]})
    path = root / "p1.html"
    path.write_bytes(path.read_bytes().replace(b"</h1>", b"</h1><p>New.", 1))
    second = added(desk, root)
    assert (second["version"], second["changed"]) == (2, True)
    for key in ("subject", "grade", "audience", "licence", "pin", "due", "title"):
        assert second[key] == first[key]
    assert second["fetch"] < first["fetch"]
    third = added(desk, root, "--everybody", "--no-pin")
    assert (third["version"], third["changed"], third["audience"]) == (2, False, {})


def test_the_same_folder_gives_the_same_record_and_blobs(template: Desk, tmp_path: Path) -> None:
    root = material.site(tmp_path / "rivers")
    seen = []
    for name in ("a", "b"):
        desk = template.copy(tmp_path / name)
        added(desk, root)
        blobs = sorted(str(path.relative_to(desk.root)) for path in (desk.root / "blobs").rglob("*"))
        seen.append(((desk.root / "content/ict/rivers.yaml").read_bytes(), blobs))
    assert seen[0] == seen[1]


def test_nothing_of_the_way_is_left_behind(desk: Desk, tmp_path: Path) -> None:
    added(desk, material.book(tmp_path / "two.epub"))
    with pytest.raises(BookbagError):
        add(Folder(desk.root), material.archive(tmp_path / "bad.zip", {"../x": "y"}), Asked())
    assert not [path for path in (desk.root / "blobs").iterdir() if path.name.startswith(".")]
    assert records.ids(Folder(desk.root), "ict") == ["two"]


def a_link(root: Path) -> Path:
    material.site(root)
    (root / "secret.html").symlink_to("/etc/passwd")
    return root


def a_fifo(root: Path) -> Path:
    material.site(root)
    os.mkfifo(root / "pipe")
    return root


def a_socket(root: Path) -> Path:
    material.site(root)
    with socket.socket(socket.AF_UNIX) as made:
        before = os.getcwd()
        os.chdir(root)
        try:
            made.bind("sock")
        finally:
            os.chdir(before)
    return root


def no_utf8(root: Path) -> Path:
    material.site(root)
    (root / os.fsdecode(b"\xff.html")).write_bytes(b"x")
    return root


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (a_link, "secret.html"),
        (a_fifo, "pipe"),
        (a_socket, "sock"),
        (no_utf8, ""),
        (lambda root: material.folder(root, {"A.html": "1", "a.html": "2"}), "a.html"),
        (lambda root: (root.mkdir(), root)[1], ""),
        (lambda root: material.folder(root, {"one.html": "1", "two.pdf": "2"}), ""),
        (lambda root: material.folder(root, {"film.mp4": "1", "film.vtt": "no captions"}), "film.vtt"),
        (lambda root: material.folder(root, {"film.mp4": "1", "film.srt": "no times"}), "film.srt"),
    ],
)
def test_what_a_folder_may_not_hold(
    make: Callable[[Path], Path], place: str, desk: Desk, tmp_path: Path
) -> None:
    ran = desk.run("content", "add", str(make(tmp_path / "bad")), expect=1)
    error = ran.value["error"]
    assert error["code"] == "bad-content"
    assert place in error.get("place", "")
    assert records.roles(Folder(desk.root)) == []


def test_links_can_be_left_out_and_it_is_said(desk: Desk, tmp_path: Path) -> None:
    ran = desk.run("content", "add", str(a_link(tmp_path / "rivers")), "--without-links")
    assert ran.value["left-out"] == ["secret.html"]
    assert "secret.html" in ran.err


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--id", "Bad Id"], "bad-argument"),
        (["--title", "no language"], "bad-argument"),
        (["--lang", "not a language"], "bad-argument"),
        (["--audience", "year"], "bad-argument"),
        (["--entry", "nothing.html"], "bad-argument"),
        (["--role", "teachers"], "not-allowed"),
    ],
)
def test_what_the_command_line_does_not_take(more: list[str], code: str, desk: Desk, tmp_path: Path) -> None:
    ran = desk.run("content", "add", str(material.site(tmp_path / "rivers")), *more, expect=None)
    assert ran.code in (1, 64)
    assert ran.value["error"]["code"] == code


def test_options_may_come_before_what_is_added(desk: Desk, tmp_path: Path) -> None:
    root = str(material.site(tmp_path / "rivers"))
    ran = desk.run("content", "add", "--audience", "year=9", root, "--licence", "CC0-1.0")
    assert ran.value["audience"] == {"year": ["9"]}
    ran = desk.run("content", "add", "--audience", "year=9", expect=64)
    assert "name a PATH" in ran.value["error"]["remedy"]


def test_an_entry_can_be_named_where_none_can_be_told(desk: Desk, tmp_path: Path) -> None:
    root = material.folder(
        tmp_path / "mixed", {"start here.html": page("Start", "x"), "paper.pdf": material.PDF}
    )
    assert added(desk, root, "--entry", "start here.html")["entry"] == "start here.html"


@pytest.mark.parametrize(
    ("data", "title", "lang"),
    [
        (b"<html lang=fa dir=RTL><title> A\n b </title>", "A b", "fa"),
        (b"<html><head><title>x &amp; y</title><body><title>no", "x & y", ""),
        (b'<meta charset="windows-1256"><title>\xe3\xd1\xcd\xc8\xc7</title>', "مرحبا", ""),
        (b'<meta charset="no-such-thing"><title>x</title>', "x", ""),
        (b'<meta charset="base64"><title>x</title>', "x", ""),
        ("<title>é</title>".encode("latin-1"), "é", ""),
        ("\ufeff<title>é</title>".encode("utf-16"), "é", ""),
        (b"\0\xff" * 1000, "", ""),
        (b"", "", ""),
        (b"<html lang='not a language'><title>x", "x", ""),
        (b"<title>" + b"x" * 100_000, "x" * 300, ""),
        (b"<" * 5000, "", ""),
        (b"<![CDATA[" * 500, "", ""),
    ],
)
def test_what_a_page_says(data: bytes, title: str, lang: str) -> None:
    facts = read_page(data)
    assert (facts.title, facts.lang) == (title, lang)


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"/Title (A \\(small\\) paper)", "A (small) paper"),
        (b"/Title <FEFF0645>", "م"),
        (b"/Title (one) /Title (two)", ""),
        (b"/Title (bookmark) << /Title (own) /Producer (x) >>", "own"),
        (
            b"<dc:title><rdf:Alt><rdf:li xml:lang='x'>X &amp; Y</rdf:li></rdf:Alt></dc:title> /Title (no)",
            "X & Y",
        ),
        (b"/Title (" + b"(" * 100_000, ""),
        (b"<<" * 100_000 + b"/Producer", ""),
        (b"", ""),
    ],
)
def test_what_a_paper_says(data: bytes, title: str, tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(data)
    assert read_pdf(tmp_path / "x.pdf").title == title


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("META-INF/container.xml", "<x"),
        ("META-INF/container.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"),
        ("META-INF/container.xml", material.CONTAINER.replace("OEBPS/book.opf", "../../etc/passwd")),
        ("META-INF/container.xml", material.CONTAINER.encode("utf-16")),
        ("OEBPS/book.opf", "<package/>"),
        ("OEBPS/book.opf", material.OPF.format(title="x", lang="en", way="ltr").replace("text/", "../../")),
        (
            "META-INF/encryption.xml",
            "<e xmlns='http://www.w3.org/2001/04/xmlenc#'><EncryptionMethod Algorithm='x'/></e>",
        ),
    ],
)
def test_a_broken_book_is_refused_with_the_file(file: str, data: bytes | str, tmp_path: Path) -> None:
    from agent.fleet.content.archives import unzip

    (tmp_path / "book").mkdir()
    unzip(material.book(tmp_path / "two.epub"), tmp_path / "book")
    assert read_book(tmp_path / "book").chapters == ("OEBPS/text/two.xhtml", "OEBPS/text/one a.xhtml")
    material.folder(tmp_path / "book", {file: data})
    with pytest.raises(BookbagError) as error:
        read_book(tmp_path / "book")
    assert error.value.code == "bad-content"


def test_subrip_becomes_webvtt() -> None:
    made = as_vtt(material.SRT.encode("utf-8-sig"), "x.srt").decode()
    assert made.startswith("WEBVTT\n\n1\n00:00:01.500 --> 00:00:02.250\nHello\n")
    assert "00:01:02.000 --> 00:01:03.000" in made


def test_a_site_from_before_there_was_content_says_what_to_do(desk: Desk, tmp_path: Path) -> None:
    file = desk.root / "site.yaml"
    file.write_text(file.read_text().replace("    content: true\n", ""))
    error = desk.run("content", "add", str(material.site(tmp_path / "rivers")), expect=1).value["error"]
    assert error["code"] == "not-allowed"
    assert "content: true" in error["remedy"]
