"""Programs, as policy asks about them: the same of the laptop in a folder and of a real dpkg."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.host.base import Files, Node
from agent.host.programs import FILE, OVERRIDES, Program, Programs
from tests.contract.hostile_checks import READERS
from tests.contract.subject import refused

PATH = "/usr/games/contract-program"
ALIASED = "/usr/bin/contract-program"
FOLDER = "/opt/contract-program"
DEEP = f"{FOLDER}/bin/program"
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")  # cap_net_raw, permitted, effective
NOTE = ("user.note", b"mine")
OPEN = Node("file", 0o755, content=b"#!/bin/sh\necho hello\n", xattrs=(NOTE,))
GRANTING = (("security.capability", CAPABILITY),)
ACL = (("system.posix_acl_access", READERS),)
CLOSED = Program(FILE, "root", "sudo", 0o750)


@dataclass(frozen=True)
class Installed:
    """A machine with neither of the two programs, and no override of them."""

    programs: Programs
    files: Files
    opens: Callable[[str], None]  #: a folder, to everybody who likes to bring something
    starts: Callable[[str], bool | None]  #: whether a student can start what is there; None: cannot be shown

    def put(self, path: str, node: Node) -> None:
        """As a package brings it."""
        self.files.make_parents(path)
        self.files.write(path, node)


def check_who_may_start_it_is_changed_in_place_and_given_back(machine: Installed) -> None:
    assert machine.programs.find(PATH) is None
    for node in (OPEN, replace(OPEN, mode=0o4755), replace(OPEN, xattrs=(*GRANTING, NOTE))):
        machine.put(PATH, node)
        was = machine.programs.find(PATH)
        assert was == Program(FILE, "root", "root", node.mode, tuple(node.xattrs[:-1]))
        assert machine.starts(PATH) is not False, "the control"
        for _ in range(2):
            machine.programs.dress(PATH, CLOSED)
            assert machine.programs.find(PATH) == CLOSED
            assert machine.starts(PATH) is not True
        assert machine.files.read(PATH) == replace(node, mode=0o750, group="sudo", xattrs=(NOTE,))
        machine.programs.dress(PATH, was)
        assert machine.files.read(PATH) == node
        assert machine.starts(PATH) is not False


def check_a_list_of_others_who_may_is_taken_away_and_given_back(machine: Installed) -> None:
    machine.put(PATH, replace(OPEN, mode=0o640, xattrs=ACL))
    listed = machine.files.read(PATH)
    was = machine.programs.find(PATH)
    assert was is not None and was.granting == ACL
    machine.programs.dress(PATH, CLOSED)
    assert machine.programs.find(PATH) == CLOSED
    machine.programs.dress(PATH, was)
    assert machine.files.read(PATH) == listed


def check_dpkg_is_told_and_told_otherwise(machine: Installed) -> None:
    before = machine.files.read(OVERRIDES)
    assert machine.programs.overrides(PATH) == {PATH: ""}
    for rule in ("root sudo 0750", "root games 2755", "root games 2755"):
        machine.programs.override(PATH, rule)
        assert machine.programs.overrides(PATH) == {PATH: rule}
    other = PATH + "-too"
    machine.programs.override(other, "daemon root 0700")
    machine.programs.override(PATH, "")
    assert machine.programs.overrides(PATH) == {PATH: ""}
    assert machine.programs.overrides(other) == {other: "daemon root 0700"}
    machine.programs.override(other, "")
    machine.programs.override(other, "")
    after = machine.files.read(OVERRIDES)
    assert (after and after.content) == (before and before.content)


def check_a_program_has_each_name_that_a_package_may_know_it_by(machine: Installed) -> None:
    link = machine.files.read("/bin")
    merged = link is not None and link.kind == "symlink"
    expected = [ALIASED, "/bin/contract-program"] if merged else [ALIASED]
    assert list(machine.programs.overrides(ALIASED)) == expected
    machine.programs.override(expected[-1], "root sudo 0750")
    assert machine.programs.overrides(ALIASED)[expected[-1]] == "root sudo 0750"
    machine.programs.override(expected[-1], "")


def check_what_is_no_plain_file_is_told_and_left(machine: Installed) -> None:
    machine.put(PATH, Node("symlink", 0o777, content=b"/usr/bin/env"))
    there = machine.programs.find(PATH)
    assert there is not None and there.kind == "a link to /usr/bin/env"
    refused("bad-path", machine.programs.dress, PATH, CLOSED)
    machine.files.remove(PATH)
    refused("not-found", machine.programs.dress, PATH, CLOSED)


def check_where_somebody_else_decides_what_is_there_nothing_is_touched(machine: Installed) -> None:
    machine.put(DEEP, OPEN)
    was = machine.programs.find(DEEP)
    assert was is not None, "the control"
    machine.programs.dress(DEEP, was)
    machine.opens(FOLDER)
    refused("bad-path", machine.programs.find, DEEP)
    refused("bad-path", machine.programs.dress, DEEP, was)


def check_a_link_on_the_way_is_not_followed(machine: Installed) -> None:
    machine.put(PATH, OPEN)
    machine.files.make_parents(FOLDER)
    machine.files.write(FOLDER, Node("symlink", 0o777, content=b"/usr/games"))
    there = f"{FOLDER}/{PATH.rpartition('/')[2]}"
    assert machine.files.read(there) == OPEN, "or it shows nothing"
    refused("bad-path", machine.programs.find, there)
    refused("bad-path", machine.programs.dress, there, CLOSED)
    assert machine.files.read(PATH) == OPEN
    assert machine.programs.find("/usr/games/contract-nothing") is None


def check_what_the_laptop_does_not_do_without_is_known_by_its_package(machine: Installed) -> None:
    assert machine.programs.needed_by("/usr/bin/chage") == "the package passwd"
    machine.put(PATH, OPEN)
    assert machine.programs.needed_by(PATH) == ""


def check_what_begins_peoples_sessions_is_not_done_without(machine: Installed) -> None:
    script, name = "/etc/X11/Xsession.d/90contract", PATH.rpartition("/")[2]
    machine.put(PATH, OPEN)
    for text in ("", f"# {name} is nothing\n", f"{name}-too x\n", f"not-{name} ./x.{name}\n"):
        machine.put(script, Node("file", 0o644, content=text.encode()))
        assert machine.programs.needed_by(PATH) == "", text
    for text in (f"{name}\n", f"a=$({name} --list)\n", f'if [ "$A" ]; then {PATH}; fi\n'):
        machine.put(script, Node("file", 0o644, content=text.encode()))
        assert machine.programs.needed_by(PATH) == f"what begins people's sessions: {script}", text
    machine.files.remove(script)
    machine.files.remove_empty(["/etc/X11/Xsession.d", "/etc/X11"])


def check_nothing_but_places_of_programs_is_taken(machine: Installed) -> None:
    for path in ("", "x", "/etc/passwd", "/usr/bin/../sbin/x", "/usr/bin/", "/usr/bin/-x", "/usr/games/a*",
                 "/usr/games/a b", "/usr/games/a\n", "/home/student/x", "/usr/local/bin/x"):  # fmt: skip
        refused("bad-path", machine.programs.find, path)
        refused("bad-path", machine.programs.dress, path, CLOSED)
        refused("bad-path", machine.programs.overrides, path)
        refused("bad-path", machine.programs.needed_by, path)
