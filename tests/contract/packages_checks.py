"""Packages, as policy asks for them: the same of the laptop in a folder and of a real dpkg, with a source
that has `PLAIN`, `NEEDY`, which needs `PLAIN`, and `RIVAL`, which is never beside `NEEDY`; nothing else is
missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.host.packages import AUTO, MANUAL, NO, YES, Package, Packages, Wish
from tests.contract.subject import refused

PLAIN, NEEDY, RIVAL, NOWHERE = "lab-plain", "lab-needy", "lab-rival", "lab-nowhere"
HERE = Package(YES, held=False, mark=AUTO)
PRESENT, ABSENT = Wish(True, False, AUTO, foreign=True), Wish(False, False)


@dataclass(frozen=True)
class Stocked:
    """A machine without any of them. ``fetched``: what was asked for is there by now."""

    packages: Packages
    fetched: Callable[[], None]
    person_installs: Callable[[str], None]
    person_holds: Callable[[str], None]

    def do(self, not_now: str = "", **wishes: Wish) -> None:
        """Have it so: asked for, fetched, and carried out."""
        named = {name.replace("_", "-"): wish for name, wish in wishes.items()}
        for _ in range(3):  # what there is, what it takes, and it
            self.packages.carry_out(named, not_now)
            self.fetched()
        self.packages.carry_out(named, not_now)


def check_a_package_comes_and_goes(machine: Stocked) -> None:
    assert machine.packages.find(PLAIN) == Package(NO, held=False, mark="")
    machine.do(lab_plain=PRESENT)
    assert machine.packages.find(PLAIN) == HERE
    machine.do(lab_plain=PRESENT)
    assert machine.packages.find(PLAIN) == HERE, "twice is once"
    machine.do(lab_plain=ABSENT)
    assert machine.packages.find(PLAIN) == Package()


def check_what_is_held_is_told_and_let_go(machine: Stocked) -> None:
    machine.do(lab_plain=replace(PRESENT, held=True))
    assert machine.packages.find(PLAIN) == replace(HERE, held=True)
    machine.do(lab_plain=PRESENT)
    assert machine.packages.find(PLAIN) == HERE
    machine.person_holds(PLAIN)
    assert machine.packages.find(PLAIN).held
    machine.do(lab_plain=ABSENT)
    assert machine.packages.find(PLAIN) == Package()


def check_what_people_wanted_is_told_from_what_came_along(machine: Stocked) -> None:
    machine.do(lab_plain=PRESENT)
    assert machine.packages.needed_by(PLAIN) == ()
    machine.person_installs(NEEDY)
    assert machine.packages.find(NEEDY).mark == MANUAL
    assert machine.packages.needed_by(PLAIN) == (NEEDY,)
    machine.do(lab_plain=ABSENT)
    assert machine.packages.find(PLAIN) == HERE, "somebody's package needs it"
    assert machine.packages.told(PLAIN, ABSENT).code == "not-allowed"
    machine.do(lab_plain=ABSENT, lab_needy=ABSENT)
    assert [machine.packages.find(one) for one in (PLAIN, NEEDY)] == [Package(), Package()]


def check_what_goes_wrong_with_one_stops_no_other(machine: Stocked) -> None:
    machine.do(lab_nowhere=PRESENT, lab_plain=PRESENT)
    assert machine.packages.find(PLAIN) == HERE
    assert machine.packages.find(NOWHERE) == Package()
    assert machine.packages.told(NOWHERE, PRESENT).code == "not-found"
    machine.do(lab_plain=ABSENT)


def check_what_was_only_chosen_brings_nothing_barred_and_gives_way(machine: Stocked) -> None:
    shy = replace(PRESENT, shuns=frozenset({PLAIN}))
    machine.do(lab_needy=shy)
    assert [machine.packages.find(one) for one in (PLAIN, NEEDY)] == [Package(), Package()]
    told = machine.packages.told(NEEDY, shy)
    assert told.code == "conflict", told
    machine.do(lab_plain=PRESENT, lab_needy=PRESENT)
    assert [machine.packages.find(one) for one in (PLAIN, NEEDY)] == [HERE, HERE], "the control"
    machine.do(lab_plain=replace(ABSENT, over=frozenset({NEEDY})))
    assert [machine.packages.find(one) for one in (PLAIN, NEEDY)] == [Package(), Package()]
    machine.do(lab_plain=PRESENT)
    machine.person_installs(NEEDY)
    machine.do(lab_plain=replace(ABSENT, over=frozenset({NEEDY})))
    assert machine.packages.find(PLAIN) == HERE, "a person wanted it for themselves"
    machine.do(lab_plain=ABSENT, lab_needy=ABSENT)


def check_what_was_only_chosen_stands_in_the_way_of_nothing_decided(machine: Stocked) -> None:
    machine.do(lab_needy=PRESENT)
    machine.do(lab_rival=PRESENT)
    assert machine.packages.told(RIVAL, PRESENT).code == "conflict"
    assert (machine.packages.find(NEEDY), machine.packages.find(RIVAL)) == (HERE, Package()), "the control"
    machine.do(lab_rival=replace(PRESENT, over=frozenset({NEEDY})))
    assert (machine.packages.find(NEEDY), machine.packages.find(RIVAL)) == (Package(), HERE)
    machine.do(lab_needy=PRESENT)
    assert machine.packages.told(NEEDY, PRESENT).code == "conflict", "and does not come back"
    machine.do(lab_rival=ABSENT, lab_needy=ABSENT, lab_plain=ABSENT)
    assert machine.packages.find(RIVAL) == Package()


def check_out_of_hours_nothing_is_changed(machine: Stocked) -> None:
    machine.do("not in a lesson", lab_plain=PRESENT)
    assert machine.packages.find(PLAIN) == Package()
    told = machine.packages.told(PLAIN, PRESENT)
    assert (told.code, told.text) == ("", "not in a lesson")
    machine.do(lab_plain=PRESENT)
    assert machine.packages.find(PLAIN) == HERE, "the control"
    machine.do("not in a lesson", lab_plain=ABSENT)
    assert machine.packages.find(PLAIN) == HERE
    machine.do(lab_plain=ABSENT)
    assert machine.packages.find(PLAIN) == Package()


def check_nothing_else_goes_onto_apts_command_line(machine: Stocked) -> None:
    for name in ("", "-y", "a b", "a/b", "hello-", "hello+", "hello=1", "Hello", "é", "a\n", "x" * 102):
        refused("bad-path", machine.packages.find, name)
        refused("bad-path", machine.packages.ask, name, PRESENT)
        refused("bad-path", machine.packages.needed_by, name)
