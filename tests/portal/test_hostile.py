"""Hostile content in a real browser, in a network where every packet is heard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.core.layout import Layout
from agent.portal.assets import ICON
from tests.daemon.laptop import until
from tests.portal.conftest import needs_root
from tests.portal.island import Island, island
from tests.portal.library import furnish
from tests.portal.serving import SNAPSHOTS
from tests.portal.window import Tab, Window

pytestmark = [pytest.mark.needs("chromium", "setpriv", "unshare", "nsenter"), pytest.mark.slow, needs_root]

HERE = Path(__file__).with_name("hostile")
ATTACK = (HERE / "attack.js").read_text(encoding="utf-8")
CONTROL = "http://control.example"


def named(table: str) -> list[str]:
    body = ATTACK.partition(f"const {table} = {{")[2].partition("\n};")[0]
    return re.findall(r'^  "([a-z-]+)":', body, re.MULTILINE)


LEAKS, NAVIGATIONS, GRABS = named("LEAKS"), named("NAVIGATIONS"), named("GRABS")


@dataclass(frozen=True, slots=True)
class Field:
    """Where it takes place."""

    island: Island
    window: Window
    met: set[str]  #: frames that belong to earlier tabs
    #: Whether the browser keeps a page to its own origin that comes with Connection-Allowlist. Where it does
    #: not know that header, packets of WebRTC and names that are looked up leave (docs/threats.md).
    walls: bool

    def heard(self) -> set[str]:
        """What was heard since this was asked last, without what this browser cannot keep to itself."""
        heard = self.island.heard()
        return heard if self.walls else {one for one in heard if one != "udp" and not one.startswith("dns ")}

    def evil(self) -> tuple[Tab, str]:
        """(a tab with the hostile item, a session in its frame)."""
        tab = self.window.tab()
        tab.open(f"{self.island.url}/item/evil.item?page=attack.html")
        for _ in range(200):
            for target in self.window.talk.call("Target.getTargets")["targetInfos"]:
                frame = target["targetId"]
                if target["type"] == "iframe" and "/evil.item/" in target["url"] and frame not in self.met:
                    attached = self.window.talk.call("Target.attachToTarget", targetId=frame, flatten=True)
                    session = str(attached["sessionId"])
                    if self.run(session, "document.readyState === 'complete' && typeof LEAKS === 'object'"):
                        self.met.add(frame)
                        return tab, session
            tab.value("new Promise(done => setTimeout(done, 50))")
        raise AssertionError("the hostile page does not open")

    def plain(self) -> Tab:
        """The same page on the stranger's own site, in a frame of that site, without any wall."""
        tab = self.window.tab()
        tab.open(f"{CONTROL}/host.html")
        return tab

    def run(self, session: str, script: str) -> Any:
        """Run it there as if the student had just clicked. What it throws is nothing got."""
        answer = self.window.talk.call(
            "Runtime.evaluate",
            session,
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        return answer["result"].get("value") if "exceptionDetails" not in answer else None


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    folder, laptop, pages = (tmp_path_factory.mktemp(name) for name in ("island", "laptop", "pages"))
    layout = Layout(str(laptop))
    make = furnish(Path(layout.content))
    Path(layout.public).mkdir(parents=True)
    for source in SNAPSHOTS:
        for path in source.glob("*.json"):
            (Path(layout.public) / path.name).write_bytes(path.read_bytes())
    files = {path.name: path.read_bytes() for path in HERE.iterdir()}
    page = (
        b"<!doctype html><title>x</title><body><script src=given.js></script><script src=attack.js></script>"
    )
    files |= {"attack.html": page, "given.js": b""}
    for name, data in files.items():
        (pages / name).write_bytes(data)
    (pages / "host.html").write_text("<!doctype html><body>the host<iframe src=attack.html></iframe>")
    (pages / "walled.html").write_bytes(page)
    sources = [make.source(name, data) for name, data in files.items()]
    make.add("evil.item", make.pack(sources, "site", "attack.html"), {"en": "Evil"})
    with island(laptop, folder, pages) as made, Window(before=made.enter) as window:
        yield Field(made, window, set(), walls=knows_the_wall(made, window))


def knows_the_wall(island: Island, window: Window) -> bool:
    """Whether the stranger's own page, which comes with the header, is kept from sending a packet."""
    tab = window.tab()
    tab.open(f"{CONTROL}/walled.html")
    island.heard()
    tab.value("soon(LEAKS['webrtc'], 200)")
    tab.value("new Promise(done => setTimeout(done, 3000))")
    tab.close()
    return "udp" not in island.heard()


def given(field: Field, session: str) -> None:
    """Tell the page what an attacker could at best have found out: where the portal is, and another item's
    address."""
    tab = field.window.tab()
    tab.open(f"{field.island.url}/item/maths.fractions")
    other = tab.value("document.querySelector('iframe').src")
    tab.close()
    values = {"PORTAL": field.island.url, "OTHER": other, "ICON": ICON.path}
    field.run(session, "".join(f"var {name} = {json.dumps(value)};" for name, value in values.items()))


def leaks(heard: set[str], names: list[str]) -> set[str]:
    """The probes of which anything was heard."""
    return {name for name in names if any(f" {name}.leak.example" in one for one in heard)}


def attempt(field: Field, session: str, tab: Tab) -> set[str]:
    field.island.heard()
    for name in LEAKS:
        field.run(session, f"soon(LEAKS[{name!r}], 200)")
    tab.value("new Promise(done => setTimeout(done, 3000))")
    return field.heard()


def test_no_byte_leaves_a_hostile_item(field: Field) -> None:
    tab, session = field.evil()
    heard = attempt(field, session, tab)
    tab.close()
    assert leaks({one for one in heard if not one.startswith("dns ")}, LEAKS) == set()
    assert "udp" not in heard
    assert leaks(heard, LEAKS) == set(), sorted(heard)


def test_the_same_probes_reach_the_stranger_where_no_wall_is(field: Field) -> None:
    """The positive control of each of them."""
    tab = field.plain()
    frame = tab.value("frames[0].eval('typeof LEAKS')")
    assert frame == "object"
    field.island.heard()
    for name in LEAKS:
        tab.ask(
            "Runtime.evaluate",
            expression=f"frames[0].eval(\"soon(LEAKS['{name}'], 200)\")",
            awaitPromise=True,
            userGesture=True,
        )
    tab.value("new Promise(done => setTimeout(done, 3000))")
    heard = field.island.heard()
    tab.close()
    missing = set(LEAKS) - leaks(heard, LEAKS)
    assert missing <= {"manifest", "speculation"}, "what a frame does not do at all"
    assert "udp" in heard


@pytest.mark.parametrize("name", NAVIGATIONS)
def test_a_hostile_item_takes_the_student_nowhere(field: Field, name: str) -> None:
    tab, session = field.evil()
    field.island.heard()
    field.run(session, f"soon(NAVIGATIONS[{name!r}], 500)")
    tab.value("new Promise(done => setTimeout(done, 1000))")
    assert tab.value("location.href").startswith(f"{field.island.url}/item/evil.item")
    heard = field.heard()
    assert leaks(heard, [name]) == set(), sorted(heard)
    tab.close()

    plain = field.plain()  # the control
    plain.ask(
        "Runtime.evaluate",
        expression=f"frames[0].eval(\"soon(NAVIGATIONS['{name}'], 500)\")",
        userGesture=True,
    )
    until(lambda: leaks(field.island.heard(), [name]), 10)
    plain.close()


@pytest.mark.parametrize("name", GRABS)
def test_a_hostile_item_gets_hold_of_nothing_but_its_own_files(field: Field, name: str) -> None:
    tab, session = field.evil()
    given(field, session)
    got = field.run(session, f"soon(GRABS[{name!r}], 3000)")
    assert (got or "") == ("the own secret" if name == "own-file" else "")
    tab.close()


def test_what_it_grabs_for_is_there_for_who_may(field: Field) -> None:
    """The positive controls: the stranger's own page keeps things and sees its host; the portal's own page
    reads it."""
    plain = field.plain()
    for name in ("parent-document", "parent-address", "storage", "session-storage", "cookie", "own-file"):
        got = plain.value(f"frames[0].eval(\"soon(GRABS['{name}'], 3000)\")")
        assert got, name
    plain.close()
    tab = field.window.tab()
    tab.open(f"{field.island.url}/item/maths.fractions")
    assert "My laptop" in tab.value("fetch('/laptop').then(got => got.text())")
    other = tab.value("document.querySelector('iframe').src").rpartition("/")[0]
    page = "fetch('/item/maths.fractions').then(got => got.text())"
    assert tab.value(f"{page}.then(text => text.includes({other!r}))")
    picture = f"one.onload = () => done('picture'); one.src = {ICON.path!r}"
    assert tab.value(f"new Promise(done => {{ const one = new Image(); {picture}; }})") == "picture"
    tab.close()


def test_another_items_channel_hears_nothing(field: Field) -> None:
    first, one = field.evil()
    second, two = field.evil()
    line = "window.line = new BroadcastChannel('a')"
    listen = f"window.heard = ''; {line}; line.onmessage = one => {{ heard = one.data; }}; 1"
    field.run(one, listen)
    field.run(two, f"{line}; line.postMessage('hello'); 1")
    first.value("new Promise(done => setTimeout(done, 500))")
    assert field.run(one, "heard") == ""
    first.close()
    second.close()


def test_an_item_opened_by_itself_is_led_back_into_its_frame(field: Field) -> None:
    tab, session = field.evil()
    address = field.run(session, "location.href")
    alone = field.window.tab()
    alone.open(address)
    assert alone.value("location.href") == f"{field.island.url}/item/evil.item?page=attack.html"
    assert alone.value("document.querySelectorAll('iframe').length") == 1
    alone.close()
    tab.close()


def test_a_pdf_is_no_page(field: Field) -> None:
    tab = field.window.tab()
    tab.open(f"{field.island.url}/item/science.rules")
    source = tab.value("document.querySelector('iframe').src")
    assert tab.open(source) == ""
    assert tab.value("document.contentType") == "application/pdf"
    tab.close()


def test_an_items_own_frames_open_within_it_and_lead_nowhere_else(field: Field) -> None:
    tab, session = field.evil()
    script = """
    new Promise(done => { addEventListener("message", one => done(one.data));
      const one = document.createElement("iframe"); one.src = "inner.html"; document.body.append(one);
      setTimeout(() => done(""), 3000); })
    """
    assert field.run(session, script) == "inner"
    field.island.heard()
    field.run(session, f"frames[0].postMessage({CONTROL!r}, '*')")
    tab.value("new Promise(done => setTimeout(done, 1000))")
    assert field.heard() == set(), "where the frame went by itself"
    tab.close()
