"""Applications of flatpak by policy: what is there stays, what policy brought goes with it, and a source of
somebody else's is neither taken over nor taken away.
"""

from __future__ import annotations

from agent.core.model import Outcome
from agent.host.flatpaks import Source
from agent.host.sandbox.flatpaks import OFF, SandboxFlatpaks
from agent.policy import kinds
from agent.policy.compiled import Compiled
from tests.contract.openpgp_keys import OTHER, VENDOR
from tests.policy.machine import Machine, compiled, outcomes, source

CHESS = "org.gnome.Chess//stable"
ID, PLACE = f"flatpak:{CHESS}", "flatpak-source:vendor"
ADDRESS = "https://vendor.example/repo/"
THEIRS = Source("https://theirs.example/", b"", verified=False, note="mine")


def apps(text: str) -> Compiled:
    return compiled(source(f"settings:\n  software.flatpaks: {text}\n"))


def places(key: str = VENDOR, address: str = ADDRESS) -> Compiled:
    indented = "".join(f"        {line}\n" for line in key.splitlines())
    head = "settings:\n  software.flatpak-sources:\n    - name: vendor\n"
    return compiled(source(f"{head}      address: {address}\n      key: |\n{indented}", power=True))


def there(machine: Machine) -> SandboxFlatpaks:
    assert isinstance(machine.host.flatpaks, SandboxFlatpaks)
    return machine.host.flatpaks


PRESENT = apps("[{application: org.gnome.Chess, source: flathub}]")
ABSENT = apps("[{application: org.gnome.Chess, absent: true}]")


def test_what_is_on_its_way_is_neither_there_nor_a_failure(machine: Machine) -> None:
    there(machine).note_line(OFF)
    run = machine.apply(PRESENT)
    assert outcomes(run)[ID] is Outcome.NOT_YET and run.failed == ()
    there(machine).note_line("")
    assert outcomes(machine.apply(PRESENT))[ID] is Outcome.CHANGED
    assert there(machine).find(CHESS) == "flathub" and machine.plan(PRESENT).empty
    machine.apply(None)
    assert there(machine).find(CHESS) is None and machine.undo.resources() == ()


def test_nothing_that_waited_is_installed_after_the_policy_went(machine: Machine) -> None:
    there(machine).note_line(OFF)
    machine.apply(PRESENT)
    machine.apply(None)
    there(machine).note_line("")
    machine.apply(None)
    assert there(machine).find(CHESS) is None and machine.undo.resources() == ()


def test_what_was_there_before_stays_wherever_it_came_from(machine: Machine) -> None:
    there(machine).note(CHESS, "theirs")
    assert outcomes(machine.apply(PRESENT))[ID] is Outcome.IN_FORCE
    machine.apply(None)
    assert there(machine).find(CHESS) == "theirs"


def test_what_was_removed_comes_back_from_where_it_was(machine: Machine) -> None:
    there(machine).note(CHESS, "flathub")
    assert outcomes(machine.apply(ABSENT))[ID] is Outcome.CHANGED
    assert there(machine).find(CHESS) is None
    machine.apply(None)
    assert there(machine).find(CHESS) == "flathub" and machine.undo.resources() == ()


def test_what_cannot_come_is_a_failure_of_its_own(machine: Machine) -> None:
    there(machine).note_away(CHESS)
    listed = (
        "[{application: org.gnome.Chess, source: flathub}, {application: org.gnome.Maps, source: flathub}]"
    )
    run = machine.apply(apps(listed))
    (report,) = run.failed
    assert (report.resource, report.code) == (ID, "not-found")
    assert there(machine).find("org.gnome.Maps//stable") == "flathub"


def test_a_laptop_without_flatpak_says_so_and_gives_back_nothing(machine: Machine) -> None:
    machine.apply(PRESENT)
    there(machine).note_none()
    assert outcomes(machine.apply(PRESENT))[ID] is Outcome.NOT_SUPPORTED
    assert outcomes(machine.apply(places()))[PLACE] is Outcome.NOT_SUPPORTED
    assert outcomes(machine.apply(ABSENT))[ID] is Outcome.IN_FORCE
    machine.apply(None)
    assert machine.undo.resources() == ()


def test_another_key_is_another_source_and_nothing_is_left(machine: Machine) -> None:
    machine.apply(places())
    first = there(machine).source("vendor")
    assert first is not None and first.address == ADDRESS
    assert outcomes(machine.apply(places(OTHER)))[PLACE] is Outcome.CHANGED
    second = there(machine).source("vendor")
    assert second is not None and second.key != first.key
    machine.apply(None)
    assert there(machine).source("vendor") is None and machine.undo.resources() == ()


def test_what_somebody_changes_of_it_is_put_right_and_goes(machine: Machine) -> None:
    machine.apply(places())
    first = there(machine).source("vendor")
    assert first is not None
    changed = Source(ADDRESS, first.key, verified=False)
    there(machine).set_source("vendor", changed)
    assert outcomes(machine.apply(places()))[PLACE] is Outcome.HEALED
    assert there(machine).source("vendor") == first
    there(machine).set_source("vendor", changed)
    machine.apply(None)
    assert there(machine).source("vendor") is None


def test_a_source_of_somebody_elses_is_left_alone_and_told(machine: Machine) -> None:
    there(machine).set_source("vendor", THEIRS)
    assert outcomes(machine.apply(places()))[PLACE] is Outcome.NOT_SUPPORTED
    machine.apply(None)
    assert there(machine).source("vendor") == THEIRS
    same = Source(ADDRESS, VENDOR.encode(), note="mine")
    there(machine).set_source("vendor", same)
    assert outcomes(machine.apply(places()))[PLACE] is Outcome.IN_FORCE
    machine.apply(None)
    assert there(machine).source("vendor") == same


def test_what_has_its_name_by_now_stays(machine: Machine) -> None:
    machine.apply(places())
    there(machine).set_source("vendor", THEIRS)
    assert outcomes(machine.apply(None))[PLACE] is Outcome.KEPT
    assert there(machine).source("vendor") == THEIRS and machine.undo.resources() == ()


def test_people_read_the_fingerprint_of_the_key() -> None:
    setting = kinds.settings()["software.flatpak-sources"]
    shown = setting.show(places().settings["software.flatpak-sources"]["value"])
    assert shown.startswith(f"vendor ({ADDRESS}; key 6888 AC64 E35F E184")
