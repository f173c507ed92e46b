"""Programs that only administrators start, through the life of a laptop: they come, are upgraded, go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.model import Outcome
from agent.host.base import Node
from agent.host.programs import OVERRIDES, Program, Programs
from agent.host.sandbox.programs import SandboxPrograms
from agent.policy.compiled import Compiled
from agent.policy.settings.software.blocked_programs import SoftwareBlockedPrograms
from tests.policy.machine import Machine, compiled, outcomes, source

PATH = "/usr/games/sol"
ID = f"blocked-program:{PATH}"
CAPABILITY = ("security.capability", b"\1")
BORN = Node("file", 0o4755, group="games", content=b"1.0", xattrs=(CAPABILITY, ("user.note", b"mine")))
BLOCKED = replace(BORN, mode=0o750, group="sudo", xattrs=(("user.note", b"mine"),))
RULE = f"root sudo 0750 {PATH}\n"


def blocking(*paths: str) -> Compiled:
    return compiled(source(f"settings:\n  software.blocked-programs: [{', '.join(paths)}]\n"))


def put(machine: Machine, node: Node) -> None:
    machine.host.files.make_parents(PATH)
    machine.host.files.write(PATH, node)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine(tmp_path) as made:
        yield made


def test_what_is_not_there_is_blocked_when_it_comes_and_given_back_as_it_came(machine: Machine) -> None:
    wanted = blocking(PATH)
    assert outcomes(machine.apply(wanted)) == {ID: Outcome.IN_FORCE}
    assert machine.plan(wanted).empty
    put(machine, BORN)
    assert outcomes(machine.apply(wanted)) == {ID: Outcome.CHANGED}
    assert machine.host.files.read(PATH) == BLOCKED
    assert machine.read(OVERRIDES) == RULE
    machine.apply(None)
    assert machine.host.files.read(PATH) == BORN
    assert machine.read(OVERRIDES) is None


def test_what_never_came_is_nothing_to_give_back(machine: Machine) -> None:
    machine.apply(blocking(PATH))
    assert machine.undo.resources() == ()
    assert not machine.apply(None).reports


def test_an_upgrade_changes_nothing_and_is_kept_when_it_is_withdrawn(machine: Machine) -> None:
    put(machine, BORN)
    machine.apply(blocking(PATH))
    # As dpkg unpacks it, by its override, before the package's own script gives it what only that can.
    put(machine, replace(BLOCKED, content=b"2.0", xattrs=(CAPABILITY,)))
    assert outcomes(machine.apply(blocking(PATH))) == {ID: Outcome.IN_FORCE}
    assert outcomes(machine.apply(None)) == {ID: Outcome.RESTORED}
    assert machine.host.files.read(PATH) == replace(BORN, content=b"2.0", xattrs=(CAPABILITY,))
    assert machine.read(OVERRIDES) is None


def test_of_a_package_that_went_since_nothing_is_left(machine: Machine) -> None:
    before = machine.state()
    put(machine, BORN)
    machine.apply(blocking(PATH))
    machine.host.files.remove(PATH)
    machine.host.files.remove_empty(["/usr/games", "/usr"])
    assert outcomes(machine.apply(blocking(PATH))) == {ID: Outcome.IN_FORCE}
    assert outcomes(machine.apply(None)) == {ID: Outcome.RESTORED}
    assert machine.state() == before


def test_who_opens_it_again_finds_it_closed(machine: Machine) -> None:
    put(machine, BORN)
    machine.apply(blocking(PATH))
    for opened in (
        replace(BLOCKED, mode=0o755),
        replace(BLOCKED, xattrs=(("system.posix_acl_access", b"lina"),)),
        None,
    ):
        if opened is None:
            machine.host.files.remove(OVERRIDES)
        else:
            put(machine, opened)
        assert outcomes(machine.apply(blocking(PATH))) == {ID: Outcome.HEALED}
        node = machine.host.files.read(PATH)
        assert node is not None
        assert replace(node, xattrs=()) == replace(BLOCKED, xattrs=())
        assert machine.read(OVERRIDES) == RULE


def test_what_somebody_decided_since_stays(machine: Machine) -> None:
    put(machine, BORN)
    machine.apply(blocking(PATH))
    machine.write(OVERRIDES, f"root root 0700 {PATH}\n")
    put(machine, replace(BORN, mode=0o700))
    assert outcomes(machine.apply(None)) == {ID: Outcome.KEPT}
    assert machine.host.files.read(PATH) == replace(BORN, mode=0o700)
    assert machine.read(OVERRIDES) == f"root root 0700 {PATH}\n"


class CutOff:
    """Tells dpkg, and never comes to the file."""

    def __init__(self, real: Programs) -> None:
        self.real = real

    def __getattr__(self, name: str) -> object:
        if name == "dress":
            raise KeyboardInterrupt
        return getattr(self.real, name)


class Shared:
    """The file there has other names, too."""

    def __init__(self, real: Programs) -> None:
        self.real = real

    def find(self, path: str) -> Program | None:
        found = self.real.find(path)
        return replace(found, shared=True) if found else None

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


def test_a_file_with_other_names_is_not_closed(machine: Machine) -> None:
    put(machine, BORN)
    assert machine.host.programs is not None
    machine.host = replace(machine.host, programs=Shared(machine.host.programs))  # type: ignore[arg-type]
    (report,) = machine.apply(blocking(PATH)).reports
    assert report.outcome is Outcome.NOT_SUPPORTED and "it has other names" in report.message
    assert machine.host.files.read(PATH) == BORN and machine.read(OVERRIDES) is None


def test_where_it_got_other_names_since_it_stays_closed_and_is_given_back(machine: Machine) -> None:
    """dpkg gives it one while it unpacks; where that is cut off, it stays."""
    put(machine, BORN)
    machine.apply(blocking(PATH))
    assert machine.host.programs is not None
    machine.host = replace(machine.host, programs=Shared(machine.host.programs))  # type: ignore[arg-type]
    assert outcomes(machine.apply(blocking(PATH))) == {ID: Outcome.IN_FORCE}
    assert outcomes(machine.apply(None)) == {ID: Outcome.RESTORED}
    assert machine.host.files.read(PATH) == BORN and machine.read(OVERRIDES) is None


@pytest.mark.parametrize(
    "path",
    ["/usr/bin/zsh", "/usr/sbin/slick-greeter", "/usr/bin/light-locker", "/usr/bin/mate-session",
     "/usr/bin/sqv", "/usr/bin/doas", "/usr/libexec/xfce-polkit", "/usr/bin/gpgconf"],
)  # fmt: skip
def test_nobody_is_kept_from_logging_in_locking_or_being_root(machine: Machine, path: str) -> None:
    refusals = blocking(path, PATH).refusals
    assert [row["code"] for row in refusals] != [], path
    assert not blocking(PATH).refusals, "the control"


def test_what_a_session_begins_with_stays_open_or_nobody_gets_one(machine: Machine) -> None:
    """Xsession ends, and the session with it, at the first command that cannot be started."""
    put(machine, BORN)
    script = "/etc/X11/Xsession.d/90cards"
    machine.write(script, 'CARDS="$(sol --list)"\n')
    (report,) = machine.apply(blocking(PATH)).reports
    assert report.outcome is Outcome.NOT_SUPPORTED and script in report.message
    assert machine.host.files.read(PATH) == BORN
    machine.host.files.remove(script)
    assert outcomes(machine.apply(blocking(PATH))) == {ID: Outcome.CHANGED}, "the control"


def test_so_by_the_package_whatever_the_name(machine: Machine) -> None:
    put(machine, BORN)
    assert isinstance(machine.host.programs, SandboxPrograms)
    for package in (
        "zsh-common",
        "arctica-greeter",
        "light-locker",
        "xfconf",
        "sqv",
        "gawk",
        "ecryptfs-utils",
    ):
        machine.host.programs.note_package(PATH, package)
        assert outcomes(machine.apply(blocking(PATH))) == {ID: Outcome.NOT_SUPPORTED}, package


@pytest.mark.parametrize("withdrawn", [True, False])
def test_cut_off_in_between_it_is_made_whole_or_given_back(machine: Machine, withdrawn: bool) -> None:
    put(machine, BORN)
    before, real = machine.state(), machine.host
    assert real.programs is not None
    machine.host = replace(real, programs=CutOff(real.programs))  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        machine.apply(blocking(PATH))
    assert machine.state() != before, "or it shows nothing"
    machine.host = real
    if not withdrawn:
        machine.apply(blocking(PATH))
        assert machine.host.files.read(PATH) == BLOCKED
    run = machine.apply(None)
    assert outcomes(run) == {ID: Outcome.RESTORED}
    assert machine.state() == before


def test_what_the_laptop_does_not_do_without_stays_whatever_its_name(machine: Machine) -> None:
    put(machine, BORN)
    assert isinstance(machine.host.programs, SandboxPrograms)
    for package in ("passwd", "network-manager", "orca"):
        machine.host.programs.note_package(PATH, package)
        (report,) = machine.apply(blocking(PATH)).reports
        assert report.outcome is Outcome.NOT_SUPPORTED
        assert f"it is part of the package {package}" in report.message
        assert machine.host.files.read(PATH) == BORN
    machine.host.programs.note_package(PATH, "aisleriot")
    assert outcomes(machine.apply(blocking(PATH))) == {ID: Outcome.CHANGED}, "the control"


def test_every_rank_adds_its_own_and_more_of_them_is_tighter() -> None:
    setting = SoftwareBlockedPrograms()
    one, both = ["/usr/bin/nmap"], ["/usr/bin/nmap", PATH]
    assert setting.join(one, [PATH]) == both
    assert setting.tighter(both, one) and not setting.tighter(one, both) and not setting.tighter(one, [PATH])
    assert setting.restricts(one)
