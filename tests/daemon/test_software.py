"""The shelf on a whole laptop in a folder: chosen at the socket or in the portal it comes, given back or
withdrawn it goes, and no report tells of it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Outcome, Report
from agent.daemon import operations, programs, wiring
from agent.daemon.reporting import Reporting
from agent.daemon.worker import Context
from agent.daemon.workers import ask, explain
from agent.daemon.workers.packages import _wishes
from agent.host.packages import AUTO, YES, Package
from agent.host.sandbox.laptop import open_sandbox
from agent.host.sandbox.packages import OFF, SandboxPackages
from agent.policy.enforcement.memory import EngineState, Heals
from agent.policy.enforcement.plan import Run
from agent.portal.people import Who
from agent.portal.programs import Programs
from agent.store import atomic
from tests.daemon.laptop import SandboxLaptop, sandbox, until
from tests.trust.school import Laptop, School

HEAD = 'policy: {}\nrank: school\nowner: ict@north.example\nreview-by: "2087-02-01"\nsettings:\n'
SHELF = HEAD.format("shelf") + (
    "  software.offered:\n"
    '    - {package: tuxpaint, title: {en: Tux Paint, ar: "الرسم"}, about: {en: Draw and paint}}\n'
    "    - package: hello\n"
)
BARE = HEAD.format("shelf") + "  screen-lock.after: 10m\n"
LINA, OMAR = 1000, 1001


class _Heard(Context):
    """One run in this process, and what it said."""

    def __init__(self, request: dict[str, object], layout: Layout) -> None:
        super().__init__(request, layout, os.open(os.devnull, os.O_WRONLY))
        self.events: list[dict[str, Any]] = []

    def event(self, kind: str, **fields: object) -> None:
        self.events.append({"event": kind, **fields})

    @property
    def said(self) -> dict[str, Any]:
        (result,) = [one["result"] for one in self.events if one["event"] == "result"]
        assert isinstance(result, dict)
        return result

    @property
    def errors(self) -> list[str]:
        return [one["error"]["code"] for one in self.events if one["event"] == "error"]


class Quiet:
    """A laptop in a folder whose workers run in this process, one after the other, when told to."""

    def __init__(self, folder: Path) -> None:
        self.school = School(folder / "desk", at=int(time.time()))
        self.school.policy("ict", shelf=SHELF)
        self.school.publish()
        self.layout = Layout(str(folder / "root"))
        wiring.prepare(self.layout)
        self.host = open_sandbox(self.layout.root)
        self.laptop = Laptop(Path(self.layout.generations), self.school)
        atomic.write(wiring.identity_path(self.layout), self.laptop.identity.to_bytes(), mode=0o600)
        self.programs = Programs(self.layout.asks)
        self.listen()

    def says(self, document: str) -> None:
        """What the school says from now on."""
        self.school.at = int(time.time())
        self.school.policy("ict", shelf=document)
        self.school.publish()
        self.listen()

    def listen(self) -> None:
        """The newest word is taken."""
        self.laptop.verify(self.school.mirror, self.school.at)
        Path(self.layout.state_file("enforcement")).unlink(missing_ok=True)
        self.audit()

    def audit(self) -> _Heard:
        heard = _Heard({"op": "audit"}, self.layout)
        operations.run(heard, None)
        return heard

    def ask(self, op: str, name: str = "", *, uid: int = LINA, root: bool = False) -> _Heard:
        heard = _Heard({"op": op, "name": name, "uid": uid, "root": root}, self.layout)
        heard.code = ask.run(heard)  # type: ignore[attr-defined]
        return heard

    def take(self) -> dict[str, Any]:
        heard = _Heard({"op": "take"}, self.layout)
        ask.run(heard)
        return heard.said

    def states(self, uid: int = LINA) -> dict[str, str]:
        return {one["name"]: one["state"] for one in self.ask("list", uid=uid).said["programs"]}

    @property
    def packages(self) -> SandboxPackages:
        assert isinstance(self.host.packages, SandboxPackages)
        return self.host.packages

    def has(self, name: str) -> bool:
        return self.packages.find(name).installed == YES


@pytest.fixture
def quiet(tmp_path: Path) -> Quiet:
    return Quiet(tmp_path)


def test_offered_chosen_here_given_back_gone(quiet: Quiet) -> None:
    assert quiet.states() == {"tuxpaint": "offered", "hello": "offered"} and not quiet.has("tuxpaint")
    quiet.packages.note_line(OFF)
    said = quiet.ask("install", "tuxpaint").said
    assert [(one["state"], one["title"]["ar"]) for one in said["programs"]] == [("coming", "الرسم")]
    assert quiet.audit().said["outcomes"]["not-yet"] == 1
    (row,) = [one for one in quiet.ask("list").said["programs"] if one["name"] == "tuxpaint"]
    assert (row["state"], row["message"]) == ("coming", "it is being fetched")
    quiet.packages.note_line("")
    quiet.audit()
    assert quiet.packages.find("tuxpaint") == Package(YES, held=False, mark=AUTO)
    assert quiet.states() == {"tuxpaint": "here", "hello": "offered"}
    assert quiet.states(OMAR) == {"tuxpaint": "others", "hello": "offered"}
    told = _Heard({"op": "key", "key": "package:tuxpaint", "at": 0}, quiet.layout)
    explain.run(told)
    assert told.said["effects"][0]["chosen"] and told.said["said_by"][0]["policy"] == "shelf"
    quiet.ask("remove", "tuxpaint")
    quiet.audit()
    assert not quiet.has("tuxpaint") and quiet.states()["tuxpaint"] == "offered"


def test_in_the_portal_it_goes_the_same_way(quiet: Quiet) -> None:
    quiet.programs.leave(Who(str(LINA)), "hello", wanted=True)
    shown = {one.name: one.state for one in quiet.programs.of(Who(str(LINA)))}
    assert shown["hello"] == "coming" and not quiet.has("hello")
    before = quiet.take()["choice"]
    quiet.audit()
    assert before and quiet.has("hello") and quiet.take()["choice"] == before
    quiet.programs.leave(Who(str(LINA)), "hello", wanted=False)
    assert quiet.take()["choice"] == ""
    quiet.audit()
    assert not quiet.has("hello")


def test_no_longer_offered_it_goes_and_offered_again_it_comes_back(quiet: Quiet) -> None:
    quiet.ask("install", "hello")
    quiet.audit()
    assert quiet.has("hello")
    quiet.says(BARE)
    assert not quiet.has("hello") and quiet.ask("list").said["programs"] == []
    assert not Path(quiet.layout.asks, "offered.json").exists()
    quiet.says(SHELF)
    assert quiet.has("hello")


def test_what_is_not_offered_is_refused_with_one_error_and_nothing_moves(quiet: Quiet) -> None:
    for name in ("openssh-server", "tuxpaint ", "../hello", "a" * 101, "", "--yes"):
        with pytest.raises(BookbagError) as refused:
            quiet.ask("install", name)
        assert refused.value.code in ("not-offered", "bad-argument"), name
    quiet.audit()
    assert not quiet.has("openssh-server")
    # A book that says so all the same changes nothing: what is offered is compared when it is compiled.
    from agent.commands.choosing import Choices, Picked, open_file

    forged = Choices(
        quiet.laptop.identity.id, (Picked("openssh-server", ("1000",)), Picked("hello", ("1000",)))
    )
    open_file(wiring.choices_path(quiet.layout)).write(forged)
    quiet.audit()
    assert quiet.has("hello") and not quiet.has("openssh-server")


def test_who_is_no_person_looks_and_chooses_nothing(quiet: Quiet) -> None:
    for uid in (0, 1, 999, 65534, 61184):
        assert quiet.states(uid)["hello"] == "offered"
        with pytest.raises(BookbagError) as refused:
            quiet.ask("install", "hello", uid=uid)
        assert refused.value.code == "not-allowed", uid
    quiet.audit()
    assert not quiet.has("hello")
    quiet.ask("install", "hello", uid=0, root=True)
    quiet.audit()
    assert quiet.has("hello"), "the control: the laptop's owner may"


def test_of_two_persons_each_has_their_own_say(quiet: Quiet) -> None:
    quiet.ask("install", "hello", uid=LINA)
    with pytest.raises(BookbagError):
        quiet.ask("remove", "hello", uid=OMAR)
    quiet.ask("install", "hello", uid=OMAR)
    quiet.ask("remove", "hello", uid=LINA)
    quiet.audit()
    assert quiet.has("hello") and quiet.states()["hello"] == "others"
    quiet.ask("remove", "hello", uid=0, root=True)
    quiet.audit()
    assert not quiet.has("hello")


def test_what_cannot_come_says_why(quiet: Quiet) -> None:
    quiet.packages.note_away("hello")
    quiet.ask("install", "hello")
    quiet.audit()
    heard = quiet.ask("list")
    (row,) = [one for one in heard.said["programs"] if one["name"] == "hello"]
    assert (row["state"], row["code"], heard.code) == ("cannot", "not-found", 4)  # type: ignore[attr-defined]
    assert "no source" in row["message"]


@pytest.mark.parametrize("copies", [("",), ("", ".2")])
def test_a_damaged_book_is_told_and_nothing_is_lost(quiet: Quiet, copies: tuple[str, ...]) -> None:
    quiet.ask("install", "hello")
    quiet.audit()
    for copy in copies:
        Path(f"{wiring.choices_path(quiet.layout)}{copy}").write_bytes(b"\0" * 64)
    heard = quiet.audit()
    assert heard.errors == (["state-corrupt"] if len(copies) == 2 else [])
    assert quiet.has("hello")
    quiet.ask("install", "tuxpaint")
    heard = quiet.audit()
    assert quiet.has("hello") and quiet.has("tuxpaint") and heard.errors == [], "mended with the next choice"


def test_what_the_school_decided_goes_before_what_was_chosen(quiet: Quiet) -> None:
    """What apt would bring along, or take away, shows only where it is installed: there it is said who gives
    way."""
    wanted = "  software.packages:\n    value: {present: [chess], absent: [casino]}\n"
    quiet.packages.note_line(OFF)
    quiet.says(SHELF + wanted)
    quiet.ask("install", "hello")
    quiet.audit()
    _, wishes, _ = _wishes(quiet.layout, everything=True)
    assert list(wishes) == ["chess", "hello"]
    assert (wishes["hello"].shuns, wishes["hello"].over) == (frozenset({"casino"}), frozenset())
    assert (wishes["chess"].shuns, wishes["chess"].over) == (frozenset(), frozenset({"hello"}))


# -- what is told


def test_no_report_differs_by_what_somebody_chose(quiet: Quiet) -> None:
    def digest() -> str:
        known = quiet.audit().said
        part = Reporting.__new__(Reporting)
        part._enforcing = type("Known", (), {"known": {**known, "word": 0, "clock": 0}, "pause": None})()
        part._syncing = type("Never", (), {"last_good": 0.0})()
        part._jobs = type("None", (), {"health": {}})()
        part.content = dict
        return json.dumps(part._digest(), sort_keys=True)

    nothing = digest()
    quiet.packages.note_line(OFF)
    quiet.ask("install", "hello")
    assert digest() == nothing and quiet.audit().said["outcomes"]["not-yet"] == 1
    quiet.packages.note_line("")
    quiet.packages.note_away("hello")
    assert digest() == nothing and quiet.audit().said["outcomes"]["failed"] == 1
    quiet.packages.note_away()
    assert digest() == nothing and quiet.has("hello")
    quiet.packages.note_line(OFF)
    quiet.packages.note_needs("theirs", "hello")
    quiet.packages.note("theirs", Package(YES, held=False, mark="manual"))
    quiet.ask("remove", "hello")
    assert digest() == nothing, "nor while it goes, or stays for somebody's sake"
    known = quiet.audit().said
    assert known["told"] == {"in-force": known["told"]["in-force"]} if known["told"] else True


def test_what_is_private_takes_no_healed_resources_place() -> None:
    often = {f"package:p{n}": Heals(9, 0) for n in range(operations.MAX_EXCEPTIONS)}
    state = EngineState(heals={**often, "file:/etc/motd": Heals(1, 0)})
    rows = operations._healed(Run(()), state, frozenset(often))
    assert [row["resource"] for row in rows if "private" not in row] == ["file:/etc/motd"]


def test_a_folder_that_goes_tells_of_a_choice_only_where_one_goes() -> None:
    folder, kept = (Report(one, Outcome.RESTORED) for one in ("directory:/etc/a", "kept-packages:chosen"))
    assert programs.private(None, Run((folder,))) == frozenset()
    assert programs.private(None, Run((folder, kept))) == {"directory:/etc/a", "kept-packages:chosen"}


def test_what_one_person_chose_no_other_user_reads(quiet: Quiet) -> None:
    quiet.ask("install", "hello")
    quiet.audit()
    for name in ("choices.json", "choices.json.2", "chosen.json", "offered.json"):
        assert Path(quiet.layout.asks, name).stat().st_mode & 0o077 == 0, name


# -- a running one


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxLaptop]:
    made = Quiet(tmp_path_factory.mktemp("shelf"))
    with sandbox() as laptop:
        os.rmdir(laptop.folder)
        os.rename(made.layout.root, laptop.folder)
        laptop.start()
        yield laptop


def test_at_the_command_line_and_from_the_portal_it_is_enforced_at_once(running: SandboxLaptop) -> None:
    listed = running.cli("software")
    assert listed.returncode == 0 and "Tux Paint" in listed.stdout and "offered" in listed.stdout
    chosen = running.cli("software", "install", "tuxpaint")
    assert chosen.returncode == 0 and "chosen" in chosen.stdout, chosen.stderr
    host = open_sandbox(str(running.folder))
    assert host.packages is not None
    packages = host.packages
    until(lambda: packages.find("tuxpaint").installed == YES)
    until(lambda: "chosen; installed" in running.cli("software", "list").stdout)
    refused = running.cli("software", "install", "openssh-server")
    assert refused.returncode == 1 and "does not offer it" in refused.stderr and refused.stdout == ""
    assert running.cli("software", "install").returncode == 64
    assert running.cli("software", "list", "hello").returncode == 64
    Programs(running.layout.asks).leave(Who(str(os.geteuid())), "hello", wanted=True)
    until(lambda: packages.find("hello").installed == YES)
    shown = json.loads(running.cli("software", "remove", "tuxpaint", "--json").stdout)
    assert shown["exit"] == 0 and shown["programs"][0]["mine"] is False
    until(lambda: packages.find("tuxpaint").installed != YES)


def test_a_thousand_requests_at_once_leave_the_laptop_answering(running: SandboxLaptop) -> None:
    """Each waits for its turn or hears that it is one too many; nothing is kept of what is not offered."""
    before = Path(wiring.choices_path(running.layout)).read_bytes()
    held: list[socket.socket] = []
    for number in range(1000):
        name = f"p{number}" if number % 3 else "a" * (number % 200)
        request = {"v": 1, "verb": "software", "args": {"op": "install", "name": name}}
        one = socket.socket(socket.AF_UNIX)
        one.connect(running.layout.control_socket)
        with contextlib.suppress(OSError):
            one.sendall(json.dumps(request).encode() + b"\n")
        held.append(one)
        if len(held) > 30:
            held.pop(0).close()
    for one in held:
        one.close()
    until(lambda: running.client.software().result.get("programs"))
    assert Path(wiring.choices_path(running.layout)).read_bytes() == before
    assert running.client.status().code >= 0
