"""The portal over real sockets: every page, whatever is there to show, and everybody who should not get
through."""

from __future__ import annotations

import html
import json
import os
import re
import socket
from pathlib import Path

import pytest

from agent.commands.case import Step
from agent.core.model import Outcome
from agent.portal.languages import codes, language
from agent.portal.portal import PAGES
from agent.telemetry.records import records
from agent.telemetry.sent import Sent
from agent.web.connection import Times
from tests.leaks import REPOSITORY
from tests.portal.conftest import needs_root
from tests.portal.serving import SNAPSHOTS, Served, serving

LINA, OMAR = 1500, 1501
SNAPSHOT_NAMES = sorted({path.stem for folder in SNAPSHOTS for path in folder.glob("*.json")})


# -- pages


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_page_is_there_with_nothing_known_and_with_everything(
    served: Served, path: str, language: str
) -> None:
    for _ in range(2):
        got = served.get(path, Accept_Language=language)
        assert got.status == 200 and got.headers["content-type"] == "text/html; charset=utf-8"
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in got.text
        assert got.text.count("<h1>") == 1 and got.text.count("<main") == 1
        served.furnish()


@pytest.mark.parametrize("name", SNAPSHOT_NAMES)
@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b"null", b'{"v":2}', b'{"v":"1"}', b'{"v":1}', b"\xff\xfe", b'{"v":1,"v":1}'),
        b'{"v":1,' + b'"a":[' * 500 + b"]" * 500 + b"}",
        json.dumps(
            {
                **{"v": 1, "settings": [7, None, {"why": 3, "said_by": "x", "value": []}], "resources": {}},
                **{"entries": [[], {"at": "x", "kind": []}], "messages": [{"text": [], "from": 3, "at": -1}]},
                **{"locked": True, "grade": "x", "message": [], "erase_at": 10**18, "since": -5},
                **{"outcomes": {"failed": "many"}, "groups": [], "word": 3, "pause": [], "enrolment": {}},
            }
        ).encode(),
        b"x" * (5 << 20),
    ],
)
def test_a_snapshot_that_is_not_as_it_should_be_is_not_known_and_no_page_fails(
    served: Served, name: str, data: bytes
) -> None:
    (Path(served.layout.public) / f"{name}.json").write_bytes(data)
    for path in PAGES:
        assert served.get(path).status == 200


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_snapshot_that_is_no_file_is_not_known(served: Served, tmp_path: Path, kind: str) -> None:
    path = Path(served.layout.public) / "settings.json"
    if kind == "link":
        (tmp_path / "other.json").write_text('{"v":1,"site":"SECRET"}')
        path.symlink_to(tmp_path / "other.json")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    got = served.get("/laptop/settings")
    assert got.status == 200 and "not known yet" in got.text


def test_a_new_snapshot_is_seen_at_once(served: Served) -> None:
    assert "not known yet" in served.get("/laptop/settings").text
    served.furnish("settings")
    assert "The browser’s first page" in served.get("/laptop/settings").text


def test_a_setting_is_told_with_reason_person_moment_and_what_was_there_before(served: Served) -> None:
    served.furnish()
    page = served.get("/laptop/settings").text
    for said in (
        *("https://school.example/", "Our page", "ict@north.example", "the school", "15 January 2027"),
        *("Nothing was set.", "https://district.example/", "the district", "lower", "10 minutes"),
        *("file:/etc/motd", "a private file", "policy/ict/lower.yaml:6", "only watched", "What was refused"),
    ):
        assert said in page, said
    arabic = served.get("/laptop/settings", Accept_Language="ar").text
    assert '<p lang="ar" dir="rtl" class="why">' in arabic and "يفتح المتصفح" in arabic
    assert '<p lang="en" dir="ltr" class="why">Welcome</p>' in arabic, "no Arabic reason was given"


def test_the_words_of_a_policy_are_said_in_the_readers_language(served: Served) -> None:
    row = {"key": "browser.pop-ups", "value": "blocked", "outcome": "in-force", "why": {}}
    over = {"value": "allowed", "rank": "district", "policy": "upper"}
    words = [
        {**row, "overrode": [over]},
        {**row, "key": "browser.youtube", "value": "strict"},
        {**row, "key": "some.other", "value": "strict"},
    ]
    told = {"v": 1, "settings": words, "resources": [], "refusals": []}
    (Path(served.layout.public) / "settings.json").write_text(json.dumps(told))
    values = re.compile(r'<p class="value">(.*?)</p>')
    english, arabic = (served.get("/laptop/settings", Accept_Language=code).text for code in ("en", "ar"))
    assert values.findall(english)[:2] == ["blocked", "only what YouTube holds fit for all"]
    assert values.findall(arabic)[:2] == ["ممنوع", "ما يراه يوتيوب مناسبًا للجميع فقط"]
    assert "مسموح" in arabic
    assert "strict" in values.findall(arabic)[2], "a word that nobody translated stays as it is"


def test_how_a_setting_stands_is_told_with_its_reasons(served: Served) -> None:
    def shown(language: str, clock: str = "good", **of: object) -> str:
        row = {"key": "browser.pop-ups", "value": "blocked", "outcome": "in-force", **of}
        told = {"v": 1, "clock": clock, "settings": [row], "resources": [], "refusals": []}
        (Path(served.layout.public) / "settings.json").write_text(json.dumps(told))
        return re.sub(r"<[^>]*>", "", served.get("/laptop/settings", Accept_Language=language).text)

    assert "once, on 15 January 2027" in shown("en", healed={"times": 1, "last": 1_800_000_000})
    assert "31 times, the last time on 15 January 2027" in shown(
        "en", healed={"times": 31, "last": 1_800_000_000}
    )
    assert "عدد المرات 31" in shown("ar", healed={"times": 31, "last": 1_800_000_000})
    for never in ({"times": 0, "last": 0}, {"times": "x"}, 7, None):
        assert "Put back" not in shown("en", healed=never)
    lacking = {"outcome": "not-supported", "code": "not-supported"}
    assert "lacks what it takes" in shown("en", **lacking) and "ينقص هذا الحاسوب" in shown("ar", **lacking)
    unmet = {"outcome": "unmet", "code": "unmet"}
    assert "Only its IT can" in shown("en", **unmet) and "لا شيء عليك فعله" in shown("ar", **unmet)
    assert "changes it again and again" in shown("en", outcome="backed-off", code="flapping")
    assert "has to decide" in shown("en", outcome="failed", code="contested")
    assert "1 August 2027 (policy lower)" in shown(
        "en", overdue=[{"policy": "lower", "review_by": "2027-08-01"}]
    )
    assert "(policy lower)" in shown("en", overdue=[{"policy": "lower", "review_by": "someday"}])
    assert "may be wrong" in shown("en", clock="suspect") and "may be wrong" not in shown("en")


def test_what_holds_at_certain_times_says_at_which_and_until_when(served: Served) -> None:
    def shown(code: str, **of: object) -> str:
        said = {"policy": "exam", "rank": "class", "owner": "ict@north.example", **of}
        row = {"key": "browser.pop-ups", "value": "blocked", "outcome": "in-force", "said_by": [said]}
        told = {"v": 1, "until": 1_800_000_000, "settings": [row], "resources": [], "refusals": []}
        (Path(served.layout.public) / "settings.json").write_text(json.dumps(told))
        return re.sub(r"<[^>]*>", "", served.get("/laptop/settings", Accept_Language=code).text)

    during = shown("en", when="exam", certain=True)
    assert "During exam" in during and "15 January 2027" in during
    assert "Outside of lessons" in shown("en", when="outside lessons", certain=True)
    doubt = shown("en", when="exam", certain=False)
    assert "does not know what time it is" in doubt and "15 January 2027" not in doubt
    assert "أثناء exam" in shown("ar", when="exam", certain=True)
    always = shown("en", when="", certain=True)
    assert "During" not in always and "May change" not in always, "the control: at all times"


def test_messages_lock_and_ledger_are_shown(served: Served) -> None:
    served.furnish()
    page = served.get("/laptop").text
    for said in ("The library closes at 3 pm", "head-1", "K7M2-QXD4", "+44 20 7946 0000", "north-high"):
        assert said in page, said
    assert "This laptop is going to be erased." in served.get("/").text, "on every page"
    assert "A setting was put in force" in served.get("/laptop/ledger").text


def test_an_order_is_named_for_what_it_orders(served: Served) -> None:
    row = {"kind": "command", "subject": f"lock {'a' * 32}", "outcome": "armed", "message": "", "at": 1}
    rows = [row, {**row, "subject": "dance x"}]
    (Path(served.layout.public) / "ledger.json").write_text(json.dumps({"v": 1, "entries": rows}))
    page = served.get("/laptop/ledger").text
    assert "A lock" in page and "will be carried out" in page and "An order from your school" in page


def test_every_step_of_an_order_and_every_outcome_has_a_word(served: Served) -> None:
    for code in codes():
        texts = language(code).texts
        assert not [one for one in (*Step, *Outcome) if f"outcome.{one}" not in texts]


def test_hostile_texts_stay_texts(served: Served) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=y>\u202e"
    row = {
        **{"key": evil, "value": evil, "outcome": evil, "why": {evil: evil, "en": evil}, "message": evil},
        **{
            "said_by": [{"policy": evil, "rank": evil, "owner": evil, "file": evil, "line": 1}],
            "final": evil,
        },
        **{"overrode": [{"value": evil, "policy": evil}], "before": [{"state": evil}]},
    }
    told = {"v": 1, "settings": [row], "resources": [row], "refusals": [{"subject": evil, "message": evil}]}
    others = {
        "settings": told,
        "ledger": {"v": 1, "entries": [dict.fromkeys(("kind", "subject", "outcome", "message"), evil)]},
        "messages": {"v": 1, "messages": [{"text": {"en": evil}, "from": [evil], "at": 1}]},
        "lock": {"v": 1, "locked": True, "message": {"en": evil}, "contact": evil, "challenge": evil},
        "status": {
            "v": 1,
            "enrolment": "assigned",
            "site": evil,
            "groups": {"school": evil},
            "outcomes": {evil: 1},
        },
    }
    for name, value in others.items():
        (Path(served.layout.public) / f"{name}.json").write_text(json.dumps(value))
    for path in PAGES:
        page = served.get(path).text
        assert "<script>alert" not in page and "<img" not in page
    assert "&lt;script&gt;alert(1)" in served.get("/laptop").text, "the control: it was shown"


def test_what_was_sent_is_shown_decoded_and_as_it_was(served: Served) -> None:
    folder = Path(served.layout.telemetry) / "sent"
    folder.mkdir(parents=True)
    entry = {
        **{"v": 1, "signal": "metrics", "bytes": 2048, "tries": 2, "at": 1_800_000_000, "outcome": "arrived"},
        **{"url": "https://t.example/v1/metrics"},
        "reports": [
            {"record": "disk", "id": "a", "laptop": {"class": "9b"}, "values": {"free": 40, "ok": True}}
        ],
    }
    (folder / "000000000001-metrics.json").write_text(json.dumps(entry))
    (folder / "000000000001-metrics.pb").write_bytes(b"\x00\xffraw")
    (folder / "000000000002-logs.json").write_text("{")
    (folder / "secret.pb").write_bytes(b"no")
    page = served.get("/laptop/sent").text
    for said in ("Upload 1", "https://t.example/v1/metrics", "2 kB", "arrived", "disk", "free", "40", "true"):
        assert said in page, said
    got = served.get("/laptop/sent/000000000001-metrics.pb")
    assert got.body == b"\x00\xffraw" and "attachment" in got.headers["content-disposition"]
    for wrong in ("secret.pb", "..%2f..%2fsecret", "000000000009-logs.pb", "000000000001-metrics.json", ""):
        assert served.get(f"/laptop/sent/{wrong}").status == 404
    assert "the camera" in page, "what is never collected stands there, too"


def test_uploads_are_shown_as_the_sync_worker_writes_them_down(served: Served) -> None:
    record = next(iter(records()))
    (Path(served.layout.public) / "telemetry.json").write_text(
        json.dumps({"v": 1, "records": [record, "x", 7, []]})
    )
    assert records()[record].about.split(".")[0] in html.unescape(served.get("/laptop/sent").text)
    sent = Sent(f"{served.layout.telemetry}/sent")
    golden = (REPOSITORY / "tests/cases/formats/telemetry/logs.pb").read_bytes()
    where = {"at": 1_800_000_000, "url": "https://north.example/v1/logs", "line-bytes": 99}
    number = sent.begin("logs", golden, where)
    sent.finish(number, "taken")
    page = html.unescape(served.get("/laptop/sent").text)
    entry = sent.entry(number)
    assert entry is not None and entry["reports"], "the control: there is something in it"
    for report in entry["reports"]:  # type: ignore[attr-defined]
        for name, value in {**report["laptop"], **report["values"]}.items():
            assert f"<dt>{name}</dt>" in page and (
                isinstance(value, (dict, list, bool)) or str(value) in page
            )
    assert "https://north.example/v1/logs" in page and "taken" in page
    assert served.get(f"/laptop/sent/{number:012}-logs.pb").body == golden


# -- languages


def test_the_language_is_chosen_by_the_browser_and_by_the_student(served: Served) -> None:
    assert '<html lang="ar" dir="rtl">' in served.get("/help", Accept_Language="ar-EG, en;q=0.5").text
    got = served.post("/language", {"token": served.token(), "language": "ar", "back": "/help"})
    assert (got.status, got.headers["location"]) == (303, "/help")
    cookie = got.headers["set-cookie"]
    assert "SameSite=Strict" in cookie and "HttpOnly" in cookie
    assert (
        '<html lang="ar"' in served.get("/help", Accept_Language="en", Cookie=cookie.partition(";")[0]).text
    )
    assert '<html lang="en"' in served.get("/help", Cookie="bookbag-language=../../x").text
    assert served.post("/language", {"token": served.token(), "language": "xx"}).status == 400


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil", "", "/a b", "/\u00e9", "/a\r\nX: y"]
)
def test_a_form_leads_back_to_our_own_pages_only(served: Served, back: str) -> None:
    got = served.post("/language", {"token": served.token(), "language": "ar", "back": back})
    assert (got.status, got.headers["location"]) == (303, "/")


# -- who may ask


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:{port}.evil.example",
        "",
        "[::1]",
    ],
)
def test_another_name_gets_nothing(served: Served, host: str) -> None:
    """DNS rebinding: the page's own name leads here, and the browser lets it read what it gets."""
    served.furnish()
    got = served.get("/laptop", Host=host.format(port=served.port))
    assert (
        got.status == 421
        and b"north" not in got.body
        and got.headers["content-type"].startswith("text/plain")
    )
    got = served.get("/", port=served.content_port, Host=host.format(port=served.content_port))
    assert got.status == 421


def test_other_names_of_loopback_lead_to_the_one(served: Served) -> None:
    got = served.get("/help?x=1", Host=f"localhost:{served.port}")
    assert (got.status, got.headers["location"]) == (308, f"{served.url}/help?x=1")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("mode", "dest", "status"),
    [
        *(("navigate", "document", 200), ("navigate", "iframe", 403), ("no-cors", "script", 403)),
        *(("no-cors", "image", 403), ("cors", "empty", 403), ("navigate", "embed", 403), ("", "", 403)),
    ],
)
def test_other_origins_may_send_visitors_and_nothing_else(
    served: Served, site: str, mode: str, dest: str, status: int
) -> None:
    headers = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": dest}
    assert served.get("/help", headers).status == status
    assert served.get("/help", Sec_Fetch_Site="same-origin", Sec_Fetch_Dest="empty").status == 200


def test_pages_are_sent_so_that_no_other_page_can_use_them(served: Served) -> None:
    headers = served.get("/help").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert f"frame-src {served.content_url}" in policy and "base-uri 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin" == headers["cross-origin-opener-policy"]
    assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "same-origin"


def test_style_and_script_are_kept_by_the_browser_and_are_ours_alone(served: Served) -> None:
    page = served.get("/help").text
    for path in [part.split('"')[0] for part in page.split('="') if part.startswith("/static/")]:
        got = served.get(path)
        assert got.status == 200 and "immutable" in got.headers["cache-control"] and got.body
        assert got.headers["cross-origin-resource-policy"] == "same-origin"
    assert served.get("/static/style.000000000000.css").status == 404
    assert served.get("/static/../portal.py").status == 404


GOOD = {"language": "ar", "back": "/help"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec_Fetch_Site": ""}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "{content}"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "none"}, 403),
        ({"Content_Type": "text/plain"}, 400),
        ({"Content_Type": "multipart/form-data; boundary=x"}, 400),
        ({"Host": "localhost:{port}"}, 421),
        ({"Host": "evil.example"}, 421),
    ],
)
def test_a_form_counts_only_from_a_page_of_ours(served: Served, headers: dict[str, str], status: int) -> None:
    filled = {
        name: value.format(content=served.content_url, port=served.port) for name, value in headers.items()
    }
    got = served.post("/language", {"token": served.token(), **GOOD}, **filled)
    assert got.status == status and ("set-cookie" in got.headers) is (status == 303)


def test_a_form_without_its_token_or_with_anothers_counts_for_nothing(served: Served) -> None:
    assert served.post("/language", GOOD).status == 403
    assert served.post("/language", {"token": "0" * 32, **GOOD}).status == 403
    assert served.post("/language", {"token": served.token(), **GOOD}).status == 303


@needs_root
def test_a_students_token_is_worth_nothing_to_another(served: Served) -> None:
    token = served.token(uid=LINA)
    assert token == served.token(uid=LINA) != served.token(uid=OMAR)
    assert served.ask_as(LINA, "/language", {"token": token, **GOOD}).status == 303
    assert served.ask_as(OMAR, "/language", {"token": token, **GOOD}).status == 403
    assert served.ask_as(33, "/language", {"token": token, **GOOD}).status == 403, "a service is a guest"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_not_for_pages(served: Served, method: str) -> None:
    assert served.get("/help", method=method).status == 405


def test_a_form_that_is_too_long_or_has_too_many_fields_is_refused(served: Served) -> None:
    assert served.post("/language", {"token": served.token(), "back": "x" * 9000}).status == 413
    assert served.post("/language", {f"f{number}": "x" for number in range(50)}).status == 400
    assert served.post("/nothing", {"token": served.token()}).status == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(
            ("/nothing", 404),
            ("/laptop/", 404),
            ("//", 404),
            ("/%2e%2e/etc/passwd", 404),
            ("/../etc/passwd", 404),
        ),
        *(
            ("/laptop/settings/x", 404),
            ("/item", 404),
            ("/help?" + "a=b&" * 50, 400),
            ("/help?" + "x" * 1500, 414),
        ),
        *(("/help?%ff=%fe&q=%00", 200), ("/search?q=%3Cscript%3E", 200)),
    ],
)
def test_odd_paths_and_questions(served: Served, path: str, status: int) -> None:
    got = served.get(path)
    assert got.status == status and "<script>" not in got.text.replace('<script src="/static', "")
    assert ("text/html" in got.headers["content-type"]) and "Traceback" not in got.text


# -- crowds and slow clients


def test_thirty_stalled_clients_and_slow_ones_keep_nobody_waiting(tmp_path: Path) -> None:
    with serving(tmp_path, times=Times(idle=60, head=1.0, body=1.0)) as served:
        stalled = []
        for number in range(30):
            sock = socket.create_connection(("127.0.0.1", served.port if number % 2 else served.content_port))
            sock.sendall(
                (b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"", b"POST /language HTTP/1.1\r\nHost: ")[number % 3]
            )
            stalled.append(sock)
        assert served.get("/help").status == 200
        for sock in stalled:
            sock.close()


def test_places_are_shared_by_user(served: Served) -> None:
    """When all are taken, by user; what that means is told in tests/web/test_crowd.py."""
    mine = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(3)]
    assert served.get("/help").status == 200  # so all of those before it were accepted
    loop = served.service.loop
    assert {one.peer for one in list(loop._connections.values())} == {os.getuid()}
    for sock in mine:
        sock.close()


def test_a_dripping_head_is_cut_off(tmp_path: Path) -> None:
    with serving(tmp_path, times=Times(head=0.5)) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as sock:
            sock.sendall(b"GET /")
            answer = b""
            for _ in range(100):  # drips do not move the deadline
                try:
                    sock.sendall(b"a")
                    sock.settimeout(0.1)
                    part = sock.recv(1000)
                except TimeoutError:
                    continue
                except OSError:
                    break
                answer += part
                if not part:
                    break
            assert not answer or b" 408 " in answer
        assert served.get("/help").status == 200


def test_floods_of_headers_are_refused(served: Served) -> None:
    for data, status in ((b"A: b\r\n" * 100, b"431"), (b"A: " + b"b" * 20000 + b"\r\n", b"431")):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + data + b"\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 " + status)
