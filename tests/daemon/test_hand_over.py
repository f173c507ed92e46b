"""Orders handed over from who verifies them to who carries them out: cut off anywhere in between — marks
committed, generation written, generation kept, taken down — each is carried out and told, once.

Those of kinds that wait side by side are what may get lost: no mark of theirs says what is meant now.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.commands.book import BookFile
from agent.core.layout import Layout
from agent.daemon import joining, obeying, operations, snapshots, taking, wiring
from agent.store.spool import Spool
from agent.trust import receipts
from agent.trust.enrolment import EnrolFile, make_token
from agent.trust.identity import serial_hash
from agent.trust.keys import SealKey
from tests.conftest import Rounds
from tests.daemon import refreshing
from tests.daemon.laptop import SandboxLaptop, sandbox
from tests.powercut import Outcome, every_prefix, fail_at_every, kill_at_every
from tests.trust.school import Laptop, School

#: Loaded here once, each of the forked runs that look at what was left is faster.
LOADED = (joining, obeying, operations, snapshots, taking)
TARGET = "0f" * 16  #: the order that is called off, and has not come yet
SAMPLE = 8


@dataclass(frozen=True)
class Scene:
    """A laptop that obeyed its school before; a word with a cancel and a message has just reached it."""

    folder: Path
    returns: SealKey
    clock: str  #: stands still

    def start(self, place: Path) -> None:
        shutil.copytree(self.folder, place, symlinks=True, dirs_exist_ok=True)
        (place / "laptop/.sandbox/clock.json").write_text(self.clock)
        (place / "tmp").mkdir()

    def told(self, layout: Layout) -> list[tuple[str, str, bool]]:
        """(kind, state, final) of each receipt; their chain holds."""
        identity = wiring.identity_of(layout)
        assert identity is not None
        outbox = Spool(layout.outbox)
        key = identity.sign_key.public
        found = [
            receipts.verify(receipts.open_return(outbox.read(name), name, key, self.returns), key)
            for name in outbox.names()
            if name.startswith("receipt-")
        ]
        found.sort(key=lambda one: one.n)
        assert receipts.check_chain(found) == ""
        return [(one.kind, one.state, one.final) for one in found]

    def goes_on(self, place: Path, said: str = "") -> None:
        """The mirror is looked at once more, and orders are carried out."""
        layout = Layout(str(place / "laptop"))
        expected = [("cancel", "done", True), ("message", "done", True)]
        if any("locked" in event["result"] for event in refreshing.of(refreshing.events(said), "result")):
            assert sorted(self.told(layout)) == expected, "it was acknowledged, and is not told"
        for _ in range(2):
            assert refreshing.run(place, "refresh")[-1]["code"] in (0, 2)
            assert refreshing.run(place, "obey", "command")[-1]["code"] == 0
        assert sorted(self.told(layout)) == expected
        identity = wiring.identity_of(layout)
        assert identity is not None
        book = BookFile(layout.state_file("commands")).read(0, (0, ""), identity.id)
        assert (book.called_off, book.cases) == ((TARGET,), ())
        shown = json.loads((Path(layout.public) / "messages.json").read_bytes())["messages"]
        assert [one["text"] for one in shown] == [{"en": "Library closes at three"}]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    top = tmp_path_factory.mktemp("scene")
    school = School(top / "desk", at=int(time.time()) - 60)
    school.publish()
    with sandbox() as laptop:
        place = laptop.folder.parent / "place"
        place.mkdir()
        laptop.folder.rename(place / "laptop")
        inside = SandboxLaptop(place / "laptop")
        enrol = top / "enrol.json"
        root = (school.mirror / "metadata" / "1.root.json").read_bytes()
        enrol.write_bytes(EnrolFile("north", ("https://127.0.0.1:1/",), "", root, make_token()).to_bytes())
        assert inside.cli("enrol", str(enrol)).returncode == 0
        identity = wiring.identity_of(inside.layout)
        assert identity is not None
        named = Laptop.__new__(Laptop)
        named.identity = identity
        serial = json.loads(inside.path(".sandbox/facts.json").read_text())["serial"]
        named.serial = serial_hash("north", serial)
        standing = school.order(named)
        school.mail(named, standing)
        school.publish()
        inside.fetch(school.mirror)
        assert refreshing.run(place, "refresh")[-1]["code"] in (0, 2)
        assert refreshing.run(place, "obey", "command")[-1]["code"] == 0
        school.at += 1
        life = school.at + 86400
        say = {"text": {"en": "Library closes at three"}}
        school.mail(
            named,
            standing,
            school.order(named, "cancel", args={"id": TARGET}, expires=life),
            school.order(named, "message", args=say, expires=life),
        )
        school.publish(school.at + 30)
        inside.fetch(school.mirror)
        boottime = int(time.clock_gettime(time.CLOCK_BOOTTIME)) + 60
        clock = json.dumps({"wall": int(time.time()) + 60, "boottime": boottime})
        yield Scene(place, school.returns, clock)


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_kill_at_any_write_of_the_hand_over(scene: Scene, soak_rounds: Rounds) -> None:
    most = soak_rounds(sample=SAMPLE, full=1000)
    assert kill_at_every(refreshing.hand_over, scene.start, scene.goes_on, most=most).points > SAMPLE // 2


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_power_cut_at_any_moment_of_the_hand_over(scene: Scene, soak_rounds: Rounds) -> None:
    most = soak_rounds(sample=3, full=150)
    assert every_prefix(refreshing.hand_over, scene.start, scene.goes_on, most=most).states >= 3


@pytest.mark.needs("strace")
@pytest.mark.slow
@pytest.mark.soak  # of full disks, those that an order, a lock and a policy meet are always sampled
def test_a_full_disk_at_any_write_of_the_hand_over(scene: Scene, soak_rounds: Rounds) -> None:
    def told(place: Path, outcome: Outcome) -> None:
        assert "Traceback" not in outcome.errors, outcome.errors
        scene.goes_on(place)

    most = soak_rounds(sample=SAMPLE, full=1000)
    assert fail_at_every(refreshing.hand_over, scene.start, told, most=most).points > SAMPLE // 2


def test_what_was_verified_and_never_taken_down_is_in_the_next_word(scene: Scene, tmp_path: Path) -> None:
    """The moment that matters, by name: the next refresh comes before the orders were looked at."""
    place = tmp_path / "place"
    scene.start(place)
    assert refreshing.run(place, "refresh")[-1]["code"] in (0, 2)
    scene.goes_on(place)
