"""A school begins: keys, twelve laptops, the policies that come with Bookbag, and then one more line."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from agent.cli.demo.laptop import Laptop
from agent.cli.demo.stage import PEOPLE, Claim, Stage, sha256
from agent.core.errors import BookbagError
from agent.policy.desk.preview import templates

HOMEPAGE = "/etc/chromium/policies/managed/bookbag-homepage.json"
MOTD = "/etc/motd"
WIKIPEDIA = "https://www.wikipedia.org/"
LIBRARY = "https://library.north.example/"
WHY = {
    "en": "The browser opens with the library, because most homework begins with a book.",
    "ar": "يفتح المتصفح على المكتبة لأن معظم الواجبات تبدأ بكتاب.",
}
LINE = f'  browser.homepage: {{value: "{LIBRARY}", why: {json.dumps(WHY, ensure_ascii=False)}}}\n'
#: What was on each laptop before: managed files must come back to the byte, strangers stay untouched.
BEFORE = (
    (MOTD, "Welcome to Debian.\n", 0o640),
    (HOMEPAGE, '{"HomepageLocation": "https://start.example/"}\n', 0o600),
    ("/etc/chromium/policies/managed/printers.json", "{}\n", 0o644),
    ("/home/student/essay.txt", "The year without a summer\n", 0o600),
)
_PAGES = {
    "index": ("Rivers", "A river carries what the mountains lose. Read on about its source and its delta."),
    "source": ("The source", "Where snow melts, a brook begins. Three brooks are a stream."),
    "delta": ("The delta", "Where a river meets the sea it lays down its silt: a delta grows."),
}


def begin(stage: Stage, broken: bool) -> Iterator[Claim]:
    """Three persons' keys; two sign."""
    for laptop in stage.laptops.values():
        os.makedirs(laptop.folder, exist_ok=True)
        for path, text, mode in BEFORE:
            laptop.write(path, text, mode)
        laptop.start()
    people = [word for person in PEOPLE for word in ("--person", person)]
    url = f"https://127.0.0.1:{stage.port}/"
    size = str(len(stage.laptops))
    stage.begin("--site", "north", "--url", url, "--template", "secondary", "--fleet-size", size, *people)
    stage.write("policies/ict/primary.yaml", templates()["primary.yaml"].decode())
    _add_book(stage)
    stage.fleet("publish", "--as", PEOPLE[0], "--as", PEOPLE[1])
    if broken:  # a dropped signature
        metadata = Path(stage.docroot, "metadata", "1.root.json")
        root = json.loads(metadata.read_bytes())
        root["signatures"].pop()
        metadata.write_text(json.dumps(root), encoding="utf-8")
    yield Claim(
        "three persons' keys, the policies that Bookbag brings; two persons sign",
        "signed",
        {"docroot": stage.docroot, "people": f"{stage.desk}/people"},
    )


def _add_book(stage: Stage) -> None:
    """Some pages about rivers, for class 9b only."""
    for name, (title, text) in _PAGES.items():
        links = " ".join(f'<a href="{other}.html">{_PAGES[other][0]}</a>' for other in _PAGES)
        path = Path(stage.folder, "rivers", f"{name}.html")
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
            f"<h1>{title}</h1><p>{text}</p><nav>{links}</nav></html>",
            encoding="utf-8",
        )
    about = ["--title", "en=Rivers", "--subject", "geography", "--licence", "CC0-1.0"]
    stage.fleet("content", "add", f"{stage.folder}/rivers", *about, "--audience", "class=9b")


def join(stage: Stage, broken: bool) -> Iterator[Claim]:
    """Twelve laptops enrol with one-time tokens; a person says whose they are."""
    stage.open_service()
    for laptop in stage.laptops.values():
        stage.wait_for(lambda laptop=laptop: laptop.listens, f"the agent of {laptop.name} does not start")  # type: ignore[misc]
    places = {name: laptop.folder for name, laptop in stage.laptops.items()}
    listed = _list(stage)
    stage.fleet("device", "--list", listed, "--out", f"{stage.folder}/enrol")
    stage.everywhere(lambda laptop: laptop.bookbag("enrol", f"{stage.folder}/enrol/enrol-{laptop.name}.json"))
    stage.judge(Claim("", "snapshot", {"laptops": places, "into": f"{stage.folder}/before.json"}))
    stage.wait_for(lambda: len(_returns(stage)) == len(stage.laptops), "not all enrolments came back")
    if broken:  # a flipped byte in what one laptop sent
        sent = _returns(stage)[0]
        data = bytearray(sent.read_bytes())
        data[len(data) // 2] ^= 1
        sent.write_bytes(data)
    stage.fleet("assign", "--list", listed, "--as", PEOPLE[0])
    stage.fleet("publish", "--as", PEOPLE[0])
    stage.everywhere(Laptop.sync)
    yield Claim(
        f"{len(stage.laptops)} laptops, each enrolled with its own one-time token",
        "enrolled",
        {"laptops": places, "records": f"{stage.desk}/devices", "docroot": stage.docroot},
    )
    yield Claim(
        "the policies that come with Bookbag are in force",
        "say",
        {"files": [laptop.path(HOMEPAGE) for laptop in stage.laptops.values()], "text": WIKIPEDIA},
    )


def _list(stage: Stage) -> str:
    """Whose the laptops are, as a spreadsheet saves it; its path."""
    rows = [f"{one.name},north,{one.year},{one.class_}\n" for one in stage.laptops.values()]
    path = Path(stage.folder, "laptops.csv")
    path.write_text("name,school,year,class\n" + "".join(rows), encoding="utf-8")
    return str(path)


def _returns(stage: Stage) -> list[Path]:
    folder = Path(stage.desk, "returns")
    return [one for one in folder.glob("enrol-*") if one.is_file()] if folder.is_dir() else []


def decide(stage: Stage, broken: bool) -> Iterator[Claim]:
    """One line more for the older ones: planned, signed by one person, in force."""
    text = Path(stage.desk, "policies/ict/secondary.yaml").read_text(encoding="utf-8")
    stage.write("policies/ict/secondary.yaml", text.replace("settings:\n", f"settings:\n{LINE}", 1))
    plan = json.loads(stage.fleet("plan", "--json").splitlines()[-1])
    changing, of = plan["changing"], plan["devices"]
    older = [laptop for laptop in stage.laptops.values() if laptop.year != "3"]
    if broken:  # one of them hears nothing
        older[0].stop()
    stage.fleet("publish", "--as", PEOPLE[0])
    began = time.monotonic()
    stage.everywhere(Laptop.sync)
    took = time.monotonic() - began
    if changing != len(older) or of != len(stage.laptops):
        raise BookbagError("internal", f"cannot go on: the plan says {changing} of {of}")
    yield Claim(
        f"planned: {changing} of {of} laptops change; published; in force {took:.1f} s later",
        "split",
        {
            "new": [laptop.path(HOMEPAGE) for laptop in older],
            "old": [laptop.path(HOMEPAGE) for laptop in stage.laptops.values() if laptop not in older],
            "new_text": LIBRARY,
            "old_text": WIKIPEDIA,
        },
    )
    address = stage.open_portal()
    for language, sentence in WHY.items():
        yield Claim(
            f"Lina reads why: {sentence}",
            "page",
            {"url": f"{address}/laptop/settings", "language": language, "text": sentence},
        )


def hashes(laptops: list[Laptop], path: str) -> dict[str, str]:
    """The SHA-256 of ``path`` on each laptop, by its real path."""
    return {laptop.path(path): sha256(laptop.path(path)) for laptop in laptops}
