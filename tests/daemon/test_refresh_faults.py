"""A whole refresh — new word verified, taken, compiled and enforced — with the disk full, a dead sector, a
SIGKILL or a power cut at every single call that it makes: the old policy or the new one, whole, and one clear
word about it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.daemon import joining, operations, snapshots, taking, wiring
from agent.trust.enrolment import EnrolFile, make_token
from agent.trust.identity import serial_hash
from tests.conftest import Rounds
from tests.daemon import refreshing
from tests.daemon.laptop import SandboxLaptop, sandbox
from tests.daemon.refreshing import Event, Found, laptop_files, of, without_leftovers
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every
from tests.trust.school import Laptop, School

Record = Callable[[str, object], None]
#: Loaded here once, each of the thousands of forked runs that look at what was left is twice as fast.
LOADED = (joining, operations, snapshots, taking)

HEAD = 'rank: school\nowner: ict@north.example\nreview-by: "2037-08-01"\n'
ORDINARY = "policy: ordinary\n" + HEAD
POWERFUL = "policy: powerful\n" + HEAD
NINTH = 'policy: ninth\nrank: year\nowner: o\nreview-by: "2037-08-01"\napplies-to: {year: ["9"]}\n'

OLD_ORDINARY = ORDINARY + "settings:\n  screen-lock.after: 10m\n  browser.homepage: https://old.example/\n"
OLD_POWERFUL = POWERFUL + (
    "resources:\n"
    '  - file: {path: /etc/motd, content: "old\\n"}\n'
    '  - file: {path: /usr/share/bookbag/going/away, content: "soon gone\\n"}\n'
)
NEW_ORDINARY = ORDINARY + "settings:\n  screen-lock.after: 5m\n"
NEW_POWERFUL = POWERFUL + (
    "resources:\n"
    '  - file: {path: /etc/motd, content: "new\\n", mode: "0640"}\n'
    "  - file: {path: /etc/issue, absent: true}\n"
)
NEW_NINTH = NINTH + 'resources:\n  - file: {path: /usr/share/bookbag/coming/ninth, content: "ninth\\n"}\n'


@dataclass(frozen=True)
class Scene:
    """A laptop that one policy is in force on, and that newer word has just reached."""

    folder: Path
    before: Found  #: before there was any policy
    old: Found
    new: Found
    clock: str  #: stands still, or what is written would depend on how long it takes

    def start(self, place: Path) -> None:
        shutil.copytree(self.folder, place, symlinks=True, dirs_exist_ok=True)
        (place / "laptop/.sandbox/clock.json").write_text(self.clock)
        (place / "tmp").mkdir()


def _order(school: School, laptop: SandboxLaptop) -> None:
    """A person assigns the laptop to year 9; the order lies in its mailbox from the next publication on."""
    identity = wiring.identity_of(laptop.layout)
    assert identity is not None
    named = Laptop.__new__(Laptop)
    named.identity = identity
    named.serial = serial_hash("north", json.loads(laptop.path(".sandbox/facts.json").read_text())["serial"])
    school.mail(named, school.order(named))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    top = tmp_path_factory.mktemp("scene")
    school = School(top / "desk", at=int(time.time()) - 60)
    school.policy("ict", ordinary=OLD_ORDINARY)
    school.power("ada", "bo", powerful=OLD_POWERFUL)
    school.publish()
    with sandbox() as laptop:
        for path, content, mode in (("/etc/motd", "as it came\n", 0o600), ("/etc/issue", "Debian\n", 0o644)):
            laptop.path(path).parent.mkdir(exist_ok=True)
            laptop.path(path).write_text(content)
            laptop.path(path).chmod(mode)
        place = laptop.folder.parent / "place"
        place.mkdir()
        laptop.folder.rename(place / "laptop")
        inside = SandboxLaptop(place / "laptop")
        root = (school.mirror / "metadata" / "1.root.json").read_bytes()
        enrol = top / "enrol.json"
        enrol.write_bytes(EnrolFile("north", ("https://127.0.0.1:1/",), "", root, make_token()).to_bytes())
        assert inside.cli("enrol", str(enrol)).returncode == 0
        before = laptop_files(place)
        inside.fetch(school.mirror)
        assert refreshing.run(place, "refresh")[-1]["code"] == 2
        old = laptop_files(place)
        school.at += 1
        school.policy("ict", ordinary=NEW_ORDINARY)
        school.power("ada", "bo", powerful=NEW_POWERFUL, ninth=NEW_NINTH)
        _order(school, inside)
        school.publish(school.at + 30)
        inside.fetch(school.mirror)
        ahead = top / "ahead"
        shutil.copytree(place, ahead, symlinks=True)
        assert refreshing.run(ahead, "refresh")[-1]["code"] == 2
        new = laptop_files(ahead)
        assert new["/etc/motd"] == ("file", 0o640, b"new\n")
        assert "/etc/issue" not in new and "/usr/share/bookbag/coming/ninth" in new
        assert old.keys() - new.keys() and new != old != before
        boottime = int(time.clock_gettime(time.CLOCK_BOOTTIME)) + 60
        clock = json.dumps({"wall": int(time.time()) + 60, "boottime": boottime})
        yield Scene(place, before, old, new, clock)


def converges(scene: Scene, place: Path) -> None:
    """An audit finds the old policy or the new one, whole; a refresh brings the new one; undoing restores."""
    audited = refreshing.run(place, "audit")
    assert audited[-1]["code"] in (0, 2), audited
    assert not of(audited, "error"), audited
    assert laptop_files(place) in (scene.old, scene.new)
    refreshed = refreshing.run(place, "refresh")
    assert refreshed[-1]["code"] in (0, 2), refreshed
    assert not of(refreshed, "error"), refreshed
    assert laptop_files(place) == scene.new
    (result,) = of(refreshed, "result")
    assert result["result"]["groups"]["year"] == "9"
    assert refreshing.run(place, "refresh")[-1]["code"] == 0
    withdrawn = refreshing.run(place, "withdraw")
    assert withdrawn[-1]["code"] == 2, withdrawn
    assert laptop_files(place) == scene.before


def whole_files(scene: Scene, place: Path) -> Found:
    """What lies there; each file is the old or the new one, whole."""
    found = without_leftovers(laptop_files(place))
    for path in found.keys() | scene.old.keys() | scene.new.keys():
        assert found.get(path) in (scene.old.get(path), scene.new.get(path)), f"{path} is {found.get(path)}"
    return found


def cut(scene: Scene) -> Callable[[Path, str], None]:
    """The check after a run that died: what was acknowledged holds, and all converges."""

    def check(place: Path, said: str) -> None:
        found = whole_files(scene, place)
        results = of(refreshing.events(said), "result")
        if results:
            assert found == scene.new, "it was acknowledged, and is not in force"
        converges(scene, place)

    return check


CODE = {"ENOSPC": "disk-full", "EIO": "io-error"}


def told(scene: Scene, error: str) -> Callable[[Path, Outcome], None]:
    """The check after a run that met a failing call: it says so, in one clear way, or it did not matter."""

    def named(one: Event) -> bool:
        # SQLite keeps the system's reason to itself, and this disk is not really full.
        code, place = str(one["code"]), str(one["place"])
        return code == CODE[error] or (code == "io-error" and place.endswith("/ledger.db"))

    def check(place: Path, outcome: Outcome) -> None:
        assert "Traceback" not in outcome.errors, outcome.errors
        said = refreshing.events(outcome.said)
        assert said and said[-1]["event"] == "exit", outcome
        code = said[-1]["code"]
        errors = [event["error"] for event in of(said, "error")]
        results = [event["result"] for event in of(said, "result")]
        assert len(errors) <= 1, errors
        assert all(one.get("place") and named(one) for one in errors), errors
        found = whole_files(scene, place)
        failed: list[Event] = [
            row for result in results for row in result["exceptions"] if row["outcome"] == "failed"
        ]
        assert all(row["code"] == CODE[error] or row["resource"].startswith("directory:") for row in failed)
        if code in (0, 2):
            assert found == scene.new, (code, said)
        elif code == 1:
            assert errors and not results
        else:
            assert code in (4, 6), code
            assert errors or failed, said
            if not failed:
                assert found in (scene.old, scene.new)
        converges(scene, place)

    return check


#: Of a refresh there are about 340 calls that a full disk refuses, 110 that sync, 230 to be killed before;
#: each takes two seconds on a busy machine. Of 400 prefixes every third is laid out in about 16 ways.
@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak  # of full disks, those that an order, a lock and a policy meet are always sampled
def test_a_full_disk_at_any_write_of_a_refresh(
    scene: Scene, soak_rounds: Rounds, record_property: Record
) -> None:
    most = soak_rounds(sample=14, full=1000)
    tally = fail_at_every(refreshing.refresh, scene.start, told(scene, "ENOSPC"), most=most)
    record_property("soak", f"a full disk in a refresh: {tally}")
    assert tally.points > min(most // 2, 300)


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_dead_sector_at_any_sync_of_a_refresh(
    scene: Scene, soak_rounds: Rounds, record_property: Record
) -> None:
    most = soak_rounds(sample=6, full=1000)
    calls = ("fsync", "fdatasync")
    tally = fail_at_every(
        refreshing.refresh, scene.start, told(scene, "EIO"), error="EIO", calls=calls, most=most
    )
    record_property("soak", f"a dead sector in a refresh: {tally}")
    assert tally.points > min(most // 2, 90)


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_kill_anywhere_in_a_refresh(scene: Scene, soak_rounds: Rounds, record_property: Record) -> None:
    most = soak_rounds(sample=8, full=1000)
    tally = kill_at_every(refreshing.refresh, scene.start, cut(scene), most=most)
    record_property("soak", f"SIGKILL in a refresh: {tally}")
    assert tally.points > min(most // 2, 150)


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_power_cut_anywhere_in_a_refresh(
    scene: Scene, soak_rounds: Rounds, record_property: Record
) -> None:
    most = soak_rounds(sample=4, full=135)
    tally = every_prefix(refreshing.refresh, scene.start, cut(scene), most=most)
    record_property("soak", f"a power cut in a refresh: {tally}")
    assert tally.states > 5 * most
