"""Applications of flatpak, as policy asks for them: the same of the laptop in a folder and of real flatpak,
with a repository that has `HELLO` and `OTHER`, on one runtime, and nothing else; signed by `Supplied.key`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.host.flatpaks import Flatpaks, Source, Wish
from tests.contract.subject import refused

HELLO, OTHER, NOWHERE = (
    "org.example.Hello//stable",
    "org.example.Other//stable",
    "org.example.Nowhere//stable",
)
NAME = "vendor"
PRESENT, ABSENT = Wish(True, NAME), Wish(False)


@dataclass(frozen=True)
class Supplied:
    """A machine without any of them, and without the source. ``fetched``: what was asked for is there by now.
    ``along``: what is there that applications run on; ``person_adds``: another source, of which nobody signs
    anything.
    """

    flatpaks: Flatpaks
    address: str
    key: bytes
    wrong_key: bytes
    fetched: Callable[[], None]
    along: Callable[[], tuple[str, ...]]
    person_adds: Callable[[str], None]
    simulated: bool = False

    def do(self, not_now: str = "", **wishes: Wish) -> None:
        """Have it so: asked for, fetched, and carried out."""
        named = {
            {"hello": HELLO, "other": OTHER, "nowhere": NOWHERE}[one]: wish for one, wish in wishes.items()
        }
        self.flatpaks.carry_out(named, not_now)
        self.fetched()
        self.flatpaks.carry_out(named, not_now)

    def add(self, key: bytes | None = None) -> None:
        """The source, as policy has it."""
        self.flatpaks.set_source(NAME, Source(self.address, key or self.key))


def check_a_source_is_added_replaced_and_taken_away(machine: Supplied) -> None:
    assert machine.flatpaks.there() and machine.flatpaks.source(NAME) is None
    machine.add(machine.wrong_key)
    first = machine.flatpaks.source(NAME)
    assert first is not None and (first.address, first.verified) == (machine.address, True)
    machine.add()
    second = machine.flatpaks.source(NAME)
    assert second is not None and second.key != first.key and second.note == first.note
    machine.flatpaks.set_source(NAME, None)
    machine.flatpaks.set_source(NAME, None)
    assert machine.flatpaks.source(NAME) is None


def check_an_application_comes_and_goes_with_what_came_along(machine: Supplied) -> None:
    machine.add()
    assert machine.flatpaks.find(HELLO) is None and machine.along() == ()
    machine.do(hello=PRESENT)
    assert machine.flatpaks.find(HELLO) == NAME
    machine.do(hello=PRESENT)
    assert machine.flatpaks.find(HELLO) == NAME, "twice is once"
    machine.do(other=PRESENT)
    along = machine.along()
    assert machine.flatpaks.find(OTHER) == NAME and bool(along) != machine.simulated
    machine.do(hello=ABSENT)
    assert (machine.flatpaks.find(HELLO), machine.flatpaks.find(OTHER)) == (None, NAME)
    assert machine.along() == along, "the other runs on it"
    machine.do(other=ABSENT)
    assert machine.flatpaks.find(OTHER) is None and machine.along() == ()


def check_what_is_not_signed_by_the_sources_key_does_not_come(machine: Supplied) -> None:
    if machine.simulated:  # signs nothing
        return
    machine.add(machine.wrong_key)
    machine.do(hello=PRESENT)
    assert machine.flatpaks.find(HELLO) is None
    assert machine.flatpaks.told(HELLO, PRESENT).code == "bad-signature"
    machine.add()
    machine.do(hello=PRESENT)
    assert machine.flatpaks.find(HELLO) == NAME, "the control, at once: another key is another wish"


def check_nothing_comes_from_where_nobody_signs(machine: Supplied) -> None:
    machine.person_adds("theirs")
    found = machine.flatpaks.source("theirs")
    assert found is not None and not found.verified
    machine.do(hello=Wish(True, "theirs"))
    assert machine.flatpaks.find(HELLO) is None
    assert machine.flatpaks.told(HELLO, Wish(True, "theirs")).code == "not-allowed"
    machine.do(hello=Wish(True, "nobodys"))
    assert machine.flatpaks.told(HELLO, Wish(True, "nobodys")).code == "not-found"


def check_what_goes_wrong_with_one_flatpak_stops_no_other(machine: Supplied) -> None:
    machine.add()
    machine.do(nowhere=PRESENT, hello=PRESENT)
    assert (machine.flatpaks.find(HELLO), machine.flatpaks.find(NOWHERE)) == (NAME, None)
    assert machine.flatpaks.told(NOWHERE, PRESENT).code == "not-found"


def check_a_source_that_goes_leaves_what_came_from_it(machine: Supplied) -> None:
    machine.add()
    machine.do(hello=PRESENT)
    machine.flatpaks.set_source(NAME, None)
    assert machine.flatpaks.find(HELLO) == NAME
    machine.do(hello=ABSENT)
    assert machine.flatpaks.find(HELLO) is None, "and it can go without it"


def check_out_of_hours_no_flatpak_comes_or_goes(machine: Supplied) -> None:
    machine.add()
    machine.do("not in a lesson", hello=PRESENT)
    assert machine.flatpaks.find(HELLO) is None
    told = machine.flatpaks.told(HELLO, PRESENT)
    assert (told.code, told.text) == ("", "not in a lesson")
    machine.do(hello=PRESENT)
    assert machine.flatpaks.find(HELLO) == NAME, "the control"
    machine.do("not in a lesson", hello=ABSENT)
    assert machine.flatpaks.find(HELLO) == NAME


def check_nothing_else_goes_onto_flatpaks_command_line(machine: Supplied) -> None:
    for name in (
        "",
        "--user",
        "org.Hello//stable",
        HELLO.replace("//", "/"),
        f"{HELLO}\n",
        f"{HELLO}/x",
        "a b",
    ):
        refused("bad-path", machine.flatpaks.find, name)
        refused("bad-path", machine.flatpaks.ask, name, PRESENT)
    for name in ("", "--user", "a b", "../x", "x" * 61):
        refused("bad-path", machine.flatpaks.source, name)
        refused("bad-path", machine.flatpaks.set_source, name, None)
    for address in ("", "file:///srv", "https://a b", "--x", "https://a.example/\nurl=x"):
        refused("bad-path", machine.flatpaks.set_source, NAME, Source(address, machine.key))
