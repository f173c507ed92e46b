"""The whole laptop, supervisor and workers, killed at any moment, again and again, while policies are
published, tampered with and withdrawn and the clock jumps: after every start it is as the school decided, and
all of it can still be undone exactly.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.daemon import joining, operations, snapshots, taking, wiring
from agent.trust.enrolment import EnrolFile, make_token
from agent.trust.site.staging import PolicyFile
from tests.conftest import Rounds
from tests.daemon import refreshing
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.daemon.refreshing import Found, laptop_files, without_leftovers
from tests.trust.school import School

Record = Callable[[str, object], None]
#: Loaded here once: each forked look at what could be undone is twice as fast.
LOADED = (joining, operations, snapshots, taking)

HEAD = 'policy: {}\nrank: school\nowner: ict@north.example\nreview-by: "2037-08-01"\n'
FOLDER = "/usr/share/bookbag/soak"
#: So many that none is tampered with as often as would make the laptop leave it alone for a while.
FILES = tuple(f"{FOLDER}/{number % 5}/{number:02}" for number in range(40))
THEIRS = FILES[::3]  #: were there before any policy, each with a mode of its own
LOCKS = ("", "5m", "10m")
HOMES = ("", "https://one.example/", "https://two.example/")
YEAR = 365 * 86400
CLOCKS = (0, 0, -56 * YEAR, -3600, 300, 40 * YEAR)  #: seconds off the true time; far ahead is not believed


@dataclass(frozen=True)
class Decision:
    """What the school wants at a time: path → content, None for "no file"."""

    files: dict[str, str | None] = field(default_factory=dict)
    lock: str = ""
    home: str = ""

    def publish(self, school: School) -> None:
        settings = [f"  screen-lock.after: {self.lock}"] * bool(self.lock)
        settings += [f"  browser.homepage: {self.home}"] * bool(self.home)
        rows = [
            f"  - file: {{path: {path}, absent: true}}"
            if text is None
            else f'  - file: {{path: {path}, content: "{text}", mode: "0640"}}'
            for path, text in self.files.items()
        ]
        documents: dict[str, PolicyFile] = {}
        for name, title, lines in (("one", "settings:", settings), ("two", "resources:", rows)):
            if lines:
                text = "\n".join([HEAD.format(name) + title, *lines, ""])
                documents[f"{name}.yaml"] = PolicyFile(text.encode())
        school.at = int(time.time())
        school.repository.stage_documents("ict", documents, at=school.at)
        if school.repository.pending():  # else the school decides what it had decided before
            school.sign("policy-ict", "ada")
        school.publish()


def decide(chance: random.Random) -> Decision:
    if chance.random() < 0.15:
        return Decision()  # everything is withdrawn
    some = chance.sample(FILES, chance.randrange(4, 24))
    return Decision(
        {path: None if chance.random() < 0.2 else f"{path} {chance.randrange(1000)}" for path in some},
        chance.choice(LOCKS),
        chance.choice(HOMES),
    )


class Soaked:
    """One laptop, its school, and what is known of how it ought to be."""

    def __init__(self, laptop: SandboxLaptop, school: School, chance: random.Random) -> None:
        self.laptop = laptop
        self.school = school
        self.chance = chance
        self.wanted = Decision()
        self.tally: Counter[str] = Counter()
        self.before = self._files()
        self._learned: dict[str, Found] = {"": {}}
        self._fair: list[str] = []  #: files of policy before and after this round's publication

    # -- what ought to be

    def _files(self) -> Found:
        return without_leftovers(laptop_files(self.laptop.folder.parent))

    def learn(self) -> None:
        """Once, on a copy where nobody interferes: the files that the settings come to."""
        for value in (*LOCKS[1:], *HOMES[1:]):
            one = Decision(lock=value) if value in LOCKS else Decision(home=value)
            one.publish(self.school)
            with self._copy() as place:
                SandboxLaptop(place / "laptop").fetch(self.school.mirror)
                assert refreshing.run(place, "refresh")[-1]["code"] == 2
                found = laptop_files(place)
            self._learned[value] = {
                path: what for path, what in found.items() if self.before.get(path) != what
            }

    def expected(self) -> Found:
        """Every file, with folders left aside: those that stand empty are only judged after undoing."""
        files = {
            **self.before,
            **self._learned[self.wanted.lock],
            **self._learned[self.wanted.home],
        }
        for path, text in self.wanted.files.items():
            files.pop(path, None)
            if text is not None:
                files[path] = ("file", 0o640, text.encode())
        return _no_folders(files)

    def as_decided(self) -> bool:
        return _no_folders(self._files()) == self.expected()

    # -- one round

    def disturb(self) -> None:
        """A publication, tampering, another clock, news on its way: any of it, in any order."""
        things = [self._publish, self._tamper, self._tamper, self._jump]
        some = self.chance.sample(things, self.chance.randrange(len(things) + 1))
        before = self.wanted.files
        if self._publish in some:
            self.wanted = decide(self.chance)
        # What is altered while no policy has it stays altered, and what policy lets go of stays as others
        # left it.
        self._fair = sorted(before.keys() & self.wanted.files.keys())
        for thing in some:
            thing()

    def _publish(self) -> None:
        self.wanted.publish(self.school)
        self.tally["published"] += 1

    def _tamper(self) -> None:
        if not self._fair:
            return
        path = self.laptop.path(self.chance.choice(self._fair))
        how = self.chance.randrange(4)
        with contextlib.suppress(OSError):
            if how == 0:
                path.write_text("rude\n")
            elif how == 1:
                path.unlink()
            elif how == 2:
                (path.parent / "other").write_text("rude\n")
                (path.parent / "other").rename(path)
            else:
                path.chmod(0o666)
            self.tally["tampered"] += 1

    def _jump(self) -> None:
        self.laptop.set_clock(self.chance.choice(CLOCKS))
        self.tally["clocks"] += 1

    def kill(self) -> None:
        """Everything of this laptop at once, in whatever order it happens to die."""
        root = str(self.laptop.folder).encode()
        while pids := [pid for pid in _processes() if root in _command(pid).split(b"\0")]:
            self.chance.shuffle(pids)
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.tally["processes"] += len(pids)
        self.laptop.stop(signal.SIGKILL)
        self.tally["kills"] += 1

    def round(self) -> None:
        news = threading.Thread(target=self._ask_for_news)
        parts = [news.start, self.disturb]
        self.chance.shuffle(parts)
        for part in parts:
            part()
        time.sleep(self.chance.random() ** 2 * 1.5)
        self.kill()
        news.join()
        while self.chance.random() < 0.3:  # and again while it starts
            self.laptop.start(ready=False)
            time.sleep(self.chance.random() * 0.6)
            self.kill()
        self.laptop.start()
        until(lambda: self.laptop.client.sync(str(self.school.mirror)).code & 5 == 0)
        until(self.as_decided)

    def _ask_for_news(self) -> None:
        with contextlib.suppress(BookbagError):  # the supervisor is killed while it answers
            self.laptop.client.sync(str(self.school.mirror))

    def check_undo(self) -> None:
        """Killed once more, on a copy: all that policy did can be undone, to the byte, mode and folder."""
        self.kill()
        with self._copy() as place:
            undone = refreshing.run(place, "withdraw")
            assert undone[-1]["code"] in (0, 2), undone
            assert without_leftovers(laptop_files(place)) == self.before
        self.tally["undone"] += 1
        self.laptop.start()

    @contextlib.contextmanager
    def _copy(self) -> Iterator[Path]:
        place = self.laptop.folder.parent / "copy"
        shutil.copytree(self.laptop.folder, place / "laptop", symlinks=True, ignore=_sockets)
        try:
            yield place
        finally:
            shutil.rmtree(place)


def _no_folders(found: Found) -> Found:
    return {path: what for path, what in found.items() if what[0] != "directory"}


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(".sock")]


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # it has just ended


@pytest.fixture
def soaked(tmp_path: Path) -> Iterator[Soaked]:
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")  # of what happens; when it happens is the machine's
    chance = random.Random(seed)
    school = School(tmp_path / "desk", at=int(time.time()))
    school.publish()
    with sandbox() as made:
        top = made.folder.parent / "place"
        top.mkdir()
        laptop = SandboxLaptop(top / "laptop")
        made.folder.rename(laptop.folder)
        for number, path in enumerate(THEIRS):
            laptop.path(path).parent.mkdir(parents=True, exist_ok=True)
            laptop.path(path).write_text(f"theirs {number}\n")
            laptop.path(path).chmod((0o600, 0o644, 0o664)[number % 3])
        enrol = tmp_path / "enrol.json"
        root = (school.mirror / "metadata" / "1.root.json").read_bytes()
        enrol.write_bytes(EnrolFile("north", ("https://127.0.0.1:1/",), "", root, make_token()).to_bytes())
        assert laptop.cli("enrol", str(enrol)).returncode == 0
        one = Soaked(laptop, school, chance)
        one.learn()
        one.wanted.publish(school)
        laptop.start()
        try:
            yield one
        finally:
            one.kill()


#: A round takes 2.5 seconds of CPU, most of it for starting Python, on both cores: 1,100 rounds, with about
#: 2,000 kills, are 40 minutes of the two hours that `make soak` takes (the Makefile adds it up).
@pytest.mark.slow
@pytest.mark.soak(sample=True)
def test_a_laptop_killed_at_any_moment_converges_and_can_be_undone(
    soaked: Soaked, soak_rounds: Rounds, record_property: Record
) -> None:
    for number in range(1, soak_rounds(sample=8, full=1_100) + 1):
        soaked.round()
        if number % 3 == 0:
            soaked.check_undo()
        if number % 50 == 0:
            broken = wiring.open_ledger(soaked.laptop.layout).verify()
            assert broken is None, broken
    soaked.laptop.set_clock(0)
    Decision().publish(soaked.school)
    assert soaked.laptop.client.sync(str(soaked.school.mirror)).code & 5 == 0
    until(lambda: soaked._files() == soaked.before)
    status = soaked.laptop.status()
    assert status["errors"] == [] and not status["exceptions"], json.dumps(status, indent=1)
    told = ", ".join(f"{count} {name}" for name, count in sorted(soaked.tally.items()))
    record_property("soak", f"a laptop killed at any moment, {number} rounds: {told}")
