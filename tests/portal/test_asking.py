"""Asking the school: two plain forms, nothing sent unseen, and nobody else's request shown or made."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.portal import asking
from agent.portal.asking import Asking, host_of, one_line
from agent.portal.people import Who
from agent.store import atomic
from agent.trust import drafts
from agent.trust.drafts import Draft
from tests.fleet.asking import ask, fields
from tests.portal.conftest import needs_root
from tests.portal.serving import Served
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every, say

ME = Who(str(os.geteuid()))
LINA, OMAR = Who("1000"), Who("1001")


@pytest.fixture
def portal(served: Served) -> Served:
    served.furnish()
    (Path(served.layout.asks) / "in").mkdir(parents=True)
    return served


def left(portal: Served) -> list[Draft]:
    """What lies there for root."""
    found = []
    for path in sorted(Path(portal.layout.asks, "in").iterdir()):
        if path.name != "news":
            found.append(drafts.parse_draft(path.read_bytes(), path.name))
    return found


def tell(folder: str, *rows: Mapping[str, object]) -> None:
    """As root does."""
    full = [
        {"kind": drafts.SITE, "about": "", "address": "x.example", "words": "", "at": 1_800_000_000, **row}
        for row in rows
    ]
    Path(folder, "told.json").write_text(json.dumps({"v": 1, "asks": full}))


def test_every_setting_has_a_way_to_ask_and_the_form_says_what_it_is_about(portal: Served) -> None:
    shown = portal.get("/laptop/settings").text
    keys = json.loads(Path(portal.layout.public, "settings.json").read_text())
    for row in [*keys["settings"], *keys["resources"]]:
        query = row["key"].replace(":", "%3A").replace("/", "%2F")
        assert f'href="/laptop/ask?about={query}"' in shown, row["key"]
    form = portal.get("/laptop/ask?about=screen-lock.after").text
    assert "Change this setting" not in form and "Decided by" in form and '<textarea name="words"' in form


def test_what_will_be_sent_is_shown_and_only_then_sent(portal: Served) -> None:
    wanted = {"token": portal.token(), "address": "HTTPS://u:p@Casino.Example:8443/win?me=lina#x"}
    looked = portal.post("/laptop/ask/look", {**wanted, "words": "for\r\n\tmaths \x1b[31m"})
    assert looked.status == 200 and left(portal) == []
    sent = fields(looked)
    assert (sent["address"], sent["words"]) == ("casino.example", "for maths [31m")
    for told in ("casino.example", "for maths", sent["id"], "dddddddd"):
        assert told in looked.text
    assert "lina" not in looked.text and "win" not in looked.text.replace("window", "")
    again = portal.post("/laptop/ask", sent)
    assert (again.status, again.headers["location"]) == (303, "/laptop/asks")
    (draft,) = left(portal)
    assert draft == Draft(sent["id"], ME.key, drafts.SITE, "", "casino.example", "for maths [31m")
    assert (Path(portal.layout.asks) / "in/news").exists(), "root is told"
    assert portal.post("/laptop/ask", sent).status == 303, "the same form again"
    assert len(left(portal)) == 1
    assert "It has not left this laptop" in portal.get("/laptop/asks").text


def test_it_can_be_changed_before_it_goes(portal: Served) -> None:
    looked = portal.post(
        "/laptop/ask/look", {"token": portal.token(), "address": "a.example", "words": "why"}
    )
    back = portal.post("/laptop/ask/look", fields(looked, "edit"))
    assert back.status == 200 and 'value="a.example"' in back.text and ">why</textarea>" in back.text
    assert left(portal) == []


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"address": "not a site"}, "not the name of a site"),
        ({"address": ""}, "not the name of a site"),
        ({"address": "*"}, "not the name of a site"),
        ({"address": "localhost"}, "not the name of a site"),
        ({"address": "file:///etc/passwd"}, "not the name of a site"),
        ({"address": "a.example", "words": "x" * 501}, "too long"),
        ({"about": "no.such-setting"}, "not in force"),
        ({"about": "../../etc"}, "not in force"),
    ],
)
def test_what_cannot_be_asked_is_said_and_nothing_is_left(
    portal: Served, wanted: dict[str, str], says: str
) -> None:
    for path in ("/laptop/ask/look", "/laptop/ask"):
        got = portal.post(path, {"token": portal.token(), "id": "a" * 32, **wanted})
        assert got.status == 400 and says in got.text and 'role="alert"' in got.text
    assert left(portal) == []


def test_the_longest_words_of_any_script_fit_into_a_form(portal: Served) -> None:
    assert ask(portal, address="a.example", words="😀" * drafts.MOST_WORDS).status == 303
    assert ask(portal, address="b.example", words="ع" * drafts.MOST_WORDS).status == 303
    assert portal.post("/laptop/ask", {"token": portal.token(), "words": "x" * 9000}).status == 413


HOSTILE = {
    "another origin": {"Origin": "http://evil.example"},
    "the content's origin": {"Origin": "CONTENT"},
    "no origin": {"Origin": ""},
    "a null origin": {"Origin": "null"},
    "from another site": {"Sec_Fetch_Site": "cross-site"},
    "from the content": {"Sec_Fetch_Site": "same-site"},
    "as plain text": {"Content_Type": "text/plain"},
}


@pytest.mark.parametrize("headers", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_other_page_can_ask_for_a_student(portal: Served, headers: dict[str, str]) -> None:
    good = {"token": portal.token(), "id": "a" * 32, "address": "a.example"}
    changed = {name: portal.content_url if value == "CONTENT" else value for name, value in headers.items()}
    assert portal.post("/laptop/ask", good, **changed).status in (400, 403)
    assert left(portal) == []
    assert portal.post("/laptop/ask", good).status == 303, "the control"


@pytest.mark.parametrize("token", ["", "0" * 32, "é"])
def test_no_form_without_its_token(portal: Served, token: str) -> None:
    form = {"token": token, "id": "a" * 32, "address": "a.example"}
    assert portal.post("/laptop/ask", form).status == 403
    assert portal.post("/laptop/ask/look", form).status == 403
    assert left(portal) == []


def test_an_address_cannot_make_a_request(portal: Served) -> None:
    assert portal.get("/laptop/ask?id=" + "a" * 32 + "&address=a.example&words=x").status == 200
    assert left(portal) == []


@pytest.mark.parametrize("id_", ["", "x", "../../portal/secret", "A" * 32, "a" * 33])
def test_an_id_is_no_path(portal: Served, id_: str) -> None:
    got = portal.post("/laptop/ask", {"token": portal.token(), "id": id_, "address": "a.example"})
    assert got.status == 400 and left(portal) == []


def test_the_sixth_in_an_hour_waits_and_what_was_asked_is_not_asked_twice(portal: Served) -> None:
    assert ask(portal, address="a0.example").status == 303
    twice = portal.post("/laptop/ask/look", {"token": portal.token(), "address": "a0.example", "words": "!"})
    assert twice.status == 409 and "asked this already" in twice.text
    for number in range(1, asking.BURST):
        assert ask(portal, address=f"a{number}.example").status == 303
    got = ask(portal, address="late.example")
    assert got.status == 429 and "five an hour" in got.text
    assert len(left(portal)) == asking.BURST


@needs_root
def test_nobody_sees_what_another_asked_and_a_guest_asks_nothing(portal: Served) -> None:
    assert ask(portal, address="mine.example", words="private").status == 303
    tell(portal.layout.asks, {"person": "1001", "id": "b" * 32, "address": "omars.example", "sent_at": 9})
    mine, omars = portal.get("/laptop/asks").text, portal.ask_as(1001, "/laptop/asks").text
    assert "mine.example" in mine and "omars.example" not in mine
    assert "omars.example" in omars and "mine.example" not in omars and "private" not in omars
    assert "1 more requests" in portal.get("/laptop/sent").text
    assert "omars.example" not in portal.get("/laptop/sent").text
    guest = portal.ask_as(999, "/laptop/asks").text
    assert "mine.example" not in guest and "omars.example" not in guest and "own account" in guest
    token = portal.token(uid=999)
    for path in ("/laptop/ask", "/laptop/ask/look"):
        got = portal.ask_as(999, path, {"token": token, "id": "a" * 32, "address": "a.example"})
        assert got.status == 400 and "own account" in got.text
    assert [one.address for one in left(portal)] == ["mine.example"]


def test_how_it_stands_from_here_to_an_answer(portal: Served) -> None:
    row = {"person": ME.key, "id": "c" * 32, "words": "كلمات", "said": '{"address":"x.example"}'}
    tell(portal.layout.asks, row)
    assert "waits here" in portal.get("/laptop/asks").text
    assert "x.example" not in portal.get("/laptop/sent").text, "it was not sent"
    tell(portal.layout.asks, {**row, "sent_at": 1_800_000_100})
    assert "Nobody has answered yet" in portal.get("/laptop/asks").text
    assert "{&quot;address&quot;:&quot;x.example&quot;}" in portal.get("/laptop/sent").text
    answer = {"yes": True, "text": {"en": "Until <b>June</b>"}, "policy": "asked-cccc", "until": "2027-06-30"}
    tell(portal.layout.asks, {**row, "sent_at": 1_800_000_100, "answer": answer})
    shown = portal.get("/laptop/asks").text
    assert "Until &lt;b&gt;June" in shown and "2027-06-30" in shown
    assert "does not hold on this laptop at the moment" in shown, "no such policy is in force here"
    path = Path(portal.layout.public, "settings.json")
    told = json.loads(path.read_text())
    told["settings"][0]["said_by"][0]["policy"] = "asked-cccc"
    path.write_text(json.dumps(told))
    assert "It holds on this laptop now" in portal.get("/laptop/asks").text
    tell(portal.layout.asks, {**row, "sent_at": 9, "answer": {"yes": False, "text": {"en": "Not now"}}})
    shown = portal.get("/laptop/asks").text
    assert "Not now" in shown and "Your school said no" in shown and "holds on" not in shown


@pytest.mark.parametrize(
    "told", [b"", b"[]", b'{"v":2,"asks":[]}', b'{"v":1,"asks":[1,{"person":["x"]}]}', b"\0" * 99]
)
def test_whatever_root_tells_the_page_stands(portal: Served, told: bytes) -> None:
    Path(portal.layout.asks, "told.json").write_bytes(told)
    assert portal.get("/laptop/asks").status == 200 and portal.get("/laptop/sent").status == 200


def test_before_the_laptop_is_anybodys_nobody_could_answer(portal: Served) -> None:
    path = Path(portal.layout.public, "status.json")
    path.write_text(path.read_text().replace('"assigned"', '"delivered"'))
    assert "belongs to no school yet" in portal.get("/laptop/ask").text
    got = portal.post("/laptop/ask", {"token": portal.token(), "id": "a" * 32, "address": "a.example"})
    assert got.status == 400 and left(portal) == []


def test_a_full_disk_is_one_clear_sentence(portal: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise BookbagError("disk-full", "cannot write: no space is left")

    monkeypatch.setattr(atomic, "write", full)
    got = ask(portal, address="a.example", words="keep this")
    assert got.status == 507 and "no room on the disk, so it was not kept" in got.text
    assert "keep this" in got.text, "and may be sent again"
    monkeypatch.undo()
    assert portal.post("/laptop/ask", fields(got)).status == 303


def test_in_arabic(portal: Served) -> None:
    for path in ("/laptop/ask", "/laptop/asks", "/laptop/ask?about=screen-lock.after"):
        shown = portal.get(path, Accept_Language="ar").text
        assert 'dir="rtl"' in shown and "asks." not in shown


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("library.example", "library.example"),
        (" https://www.Library.example/a?b#c ", "www.library.example"),
        ("*.library.example.", "library.example"),
        ("user:secret@library.example:80", "library.example"),
        ("كتب.مثال", "xn--ngbd8e.xn--mgbh0fb"),
        ("library.example\\@evil.example", "library.example"),
        ("library", ""),
        ("127.0.0.1/", "127.0.0.1"),
        ("javascript:alert(1)", ""),
        ("a" * 300 + ".example", ""),
        ("a..example", ""),
        ("\u202elibrary.example", ""),
    ],
)
def test_of_an_address_only_the_name_of_the_site_is_taken(address: str, host: str) -> None:
    assert host_of(address) == host


def test_words_become_one_line_that_moves_no_cursor() -> None:
    assert one_line("a\r\n b\t\u2028c\x00\x1b[2J\u202e d\u200c\u0647 ") == "a b c[2J d\u200c\u0647"


# -- written whole or not at all


def leave(directory: Path) -> None:
    """What the portal does for two students."""
    kept = Asking(str(directory))
    for who, id_ in ((LINA, "1" * 32), (OMAR, "2" * 32)):
        try:
            kept.leave(who, Draft(id_, who.key, drafts.SITE, "", "a.example", "words"))
            say(id_)
        except BookbagError as problem:
            say(problem.code)


def whole(directory: Path, said: str) -> None:
    """What was said to be left is there, and nothing that is half a request."""
    words = said.split()
    for who, id_ in ((LINA, "1" * 32), (OMAR, "2" * 32)):
        found = Asking(str(directory)).of(who)
        assert [one.id for one in found] in ([id_], [] if id_ not in words else [id_])
    for path in (directory / "in").iterdir():
        if len(path.name) == 32:
            drafts.parse_draft(path.read_bytes(), path.name)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    (tmp_path / "start/in").mkdir(parents=True)
    return tmp_path / "start"


@pytest.mark.needs("strace")
def test_a_power_cut_anywhere_leaves_whole_requests(start: Path) -> None:
    assert every_prefix(leave, start, whole, most=14).states > 4


WITHOUT_FSYNC = """
import os, pathlib, sys
os.fsync = lambda fd: None
from tests.portal.test_asking import leave
leave(pathlib.Path(sys.argv[1]))
"""


@pytest.mark.needs("strace")
@pytest.mark.soak
def test_without_its_fsyncs_it_is_caught(start: Path) -> None:
    """The positive control."""
    with pytest.raises(AssertionError, match="power cut after step"):
        every_prefix([sys.executable, "-c", WITHOUT_FSYNC, "{dir}"], start, whole)


@pytest.mark.needs("strace")
@pytest.mark.soak
def test_a_kill_anywhere_leaves_whole_requests(start: Path) -> None:
    assert kill_at_every(leave, start, whole).points >= 6


@pytest.mark.needs("strace")
@pytest.mark.soak
def test_a_full_disk_anywhere_is_told(start: Path) -> None:
    def told(directory: Path, outcome: Outcome) -> None:
        assert outcome.code == 0, outcome.errors
        whole(directory, outcome.said)

    assert fail_at_every(leave, start, told).points >= 6
