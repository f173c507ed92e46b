"""A student asks and the school answers: the real portal, a laptop in a folder, the real service and desk."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store.spool import Spool
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.fleet.asking import CLOSED, ask
from tests.fleet.content.test_to_a_laptop import enrol
from tests.fleet.desk import Desk, make_desk
from tests.fleet.test_serve import serving
from tests.portal.serving import serving as portal_of


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = make_desk(tmp_path / "it", now=int(time.time()))
    (made.root / "policies/ict").mkdir(parents=True, exist_ok=True)
    (made.root / "policies/ict/closed.yaml").write_text(CLOSED)
    made.publish()
    return made


@pytest.fixture
def laptop() -> Iterator[SandboxLaptop]:
    with sandbox() as made:
        yield made


def opened(laptop: SandboxLaptop) -> str:
    """What Chromium is told to open."""
    found = laptop.path("/etc/chromium/policies/managed")
    return "".join(path.read_text() for path in found.glob("*.json"))


@pytest.mark.slow
def test_asked_answered_and_in_force(desk: Desk, laptop: SandboxLaptop, tmp_path: Path) -> None:
    laptop.start()
    with serving(desk) as (_, told):
        enrol(desk, laptop, told["url"])
        until(lambda: list((desk.root / "returns").glob("enrol-*")))
        desk.run("assign", "lap-1", "year=9", "class=9a", "--as", "ict-1")
        desk.publish("ict-1")
        assert laptop.cli("sync").returncode in (0, 2)
        until(lambda: laptop.status()["enrolment"] == "assigned" and "casino.example" in opened(laptop))
        with portal_of(laptop.folder) as portal:
            until(
                lambda: (
                    json.loads(Path(laptop.layout.public, "status.json").read_text())["enrolment"]
                    == "assigned"
                )
            )
            assert ask(portal, address="https://casino.example/odds?q=1", words="for maths").status == 303
            assert ask(portal, about="screen-lock.after", words="I read slowly").status == 303
            until(lambda: len(list((desk.root / "returns").glob("ask-*"))) == 2, 60)
            until(lambda: portal.get("/laptop/asks").text.count("Nobody has answered yet") == 2)
            assert [name for name in Spool(laptop.layout.outbox).names() if name.startswith("ask-")] == []
            for path in (desk.root / "returns").glob("ask-*"):
                assert b"casino" not in path.read_bytes() and b"read slowly" not in path.read_bytes()
            sent = portal.get("/laptop/sent").text
            assert "casino.example" in sent and "odds" not in sent

            listed = desk.run("asks", "--as", "ict-1").value["asks"]
            rows = {one["kind"]: one for one in listed}
            site, setting = rows["open-site"], rows["change-setting"]
            assert (site["address"], site["words"], site["device"]) == (
                "casino.example",
                "for maths",
                "lap-1",
            )
            assert (site["now"], site["decided_by"]) == ("closed by casino.example", "closed")
            assert (setting["about"], setting["now"], setting["class"]) == ("screen-lock.after", "10m", "9a")
            answer = ("asks", "answer", "--as", "ict-1")
            desk.run(*answer, site["id"], "--yes", "--text", "Until the exam", "--until", "2029-01-31")
            desk.run(*answer, setting["id"], "--no", "--text", "ar=لا")
            desk.publish("ict-1")
            assert laptop.cli("sync").returncode in (0, 2)
            until(lambda: "URLAllowlist" in opened(laptop))
            until(lambda: "Until the exam" in portal.get("/laptop/asks").text)
            page = portal.get("/laptop/asks").text
            assert "It holds on this laptop now" in page and "2029-01-31" in page and "لا" in page
            assert "Your school said no" in page
            until(lambda: laptop.status()["asks"] == {"open": 0, "unsent": 0})
    # What anybody on the laptop may read tells nobody's words, and the host holds none either.
    for path in [*Path(laptop.layout.public).iterdir(), *(desk.root / "published").rglob("*")]:
        assert path.is_dir() or b"for maths" not in path.read_bytes(), path
    assert desk.run("asks", "--as", "ict-1").value["asks"] == []
