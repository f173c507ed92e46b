"""Printers by policy: by name over the ranks, offered while they are off, never in the place of a person's,
and gone without a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from agent.core.model import Outcome
from agent.host.printing import EVERYWHERE, POSTSCRIPT, Queue
from agent.host.sandbox.printing import SandboxPrinting
from agent.policy.compiled import Compiled
from agent.policy.settings.devices.printers import DevicesPrinters
from tests.policy.machine import Machine, compiled, outcomes, source

LIBRARY = {"name": "library", "address": "ipp://printer.north.example/ipp/print", "place": "First floor"}
OFFICE = {"name": "office", "address": "socket://192.0.2.9:9100"}
THEIRS = Queue("usb://HP/LaserJet", "", "At home", shared=True, ours=False)
NONE = ((), "")


def asked(*printers: Mapping[str, object]) -> Compiled:
    return compiled(
        source(f"settings:\n  devices.printers: {list(map(quoted, printers))}\n".replace("'", ""), power=True)
    )


def quoted(entry: Mapping[str, object]) -> str:
    pairs = (
        f"{name}: {str(value).lower() if value is True else chr(34) + str(value) + chr(34)}"
        for name, value in entry.items()
    )
    return "{" + ", ".join(pairs) + "}"


def cups(machine: Machine) -> SandboxPrinting:
    assert isinstance(machine.host.printing, SandboxPrinting)
    return machine.host.printing


def there(machine: Machine) -> tuple[Sequence[str], str]:
    return cups(machine).names(), cups(machine).default()


BOTH = asked({**LIBRARY, "default": True}, OFFICE)


def test_what_programs_offer_is_what_the_school_listed(machine: Machine) -> None:
    assert there(machine) == NONE
    machine.apply(BOTH)
    assert there(machine) == (("library", "office"), "library")
    assert cups(machine).find("library") == Queue(
        "ipp://printer.north.example/ipp/print", EVERYWHERE, "library", "First floor"
    )
    assert cups(machine).find("office") == Queue("socket://192.0.2.9:9100", POSTSCRIPT, "office")
    assert machine.plan(BOTH).empty
    machine.apply(None)
    assert there(machine) == NONE and machine.undo.resources() == ()


def test_whatever_is_done_to_one_is_mended(machine: Machine) -> None:
    machine.apply(BOTH)
    whole = {name: cups(machine).find(name) for name in ("library", "office")}
    tampers: tuple[Callable[[], None], ...] = (
        lambda: cups(machine).remove("library"),
        lambda: cups(machine).note("office", replace(whole["office"] or THEIRS, open=False)),
        lambda: cups(machine).note(
            "office", replace(whole["office"] or THEIRS, speaks="", address="usb://x")
        ),
        lambda: cups(machine).note("library", replace(whole["library"] or THEIRS, shared=True)),
        lambda: cups(machine).choose("office"),
    )
    for tamper in tampers:
        tamper()
        machine.now += 3600
        assert set(outcomes(machine.apply(BOTH)).values()) == {Outcome.HEALED, Outcome.IN_FORCE}
        assert {name: cups(machine).find(name) for name in whole} == whole
        assert there(machine)[1] == "library"


def test_the_default_that_was_there_before_is_put_back(machine: Machine) -> None:
    cups(machine).note("home", THEIRS)
    cups(machine).choose("home")
    machine.apply(BOTH)
    assert there(machine) == (("home", "library", "office"), "library")
    machine.apply(asked(LIBRARY, OFFICE))
    assert there(machine) == (("home", "library", "office"), "home"), "no policy decides it any more"
    machine.apply(BOTH)
    machine.apply(None)
    assert there(machine) == (("home",), "home")
    assert cups(machine).find("home") == THEIRS


def test_a_default_that_is_gone_by_now_is_not_missed(machine: Machine) -> None:
    cups(machine).note("home", THEIRS)
    cups(machine).choose("home")
    machine.apply(BOTH)
    cups(machine).remove("home")
    assert set(outcomes(machine.apply(None)).values()) == {Outcome.RESTORED, Outcome.KEPT}
    assert there(machine) == NONE


def test_where_there_was_no_default_there_is_none_again_and_the_printers_stay(machine: Machine) -> None:
    machine.apply(BOTH)
    machine.apply(asked(LIBRARY, OFFICE))
    assert there(machine) == (("library", "office"), "")


def test_a_printer_that_a_person_made_is_not_touched(machine: Machine) -> None:
    for name in ("library", "Library"):
        cups(machine).note(name, THEIRS)
        before = machine.state()
        run = machine.apply(BOTH)
        said = {one.resource: one for one in run.reports}
        assert said["printer:library"].outcome is Outcome.NOT_SUPPORTED
        assert "somebody made a printer of that name; choose another" in said["printer:library"].message
        assert said["printer:office"].outcome is Outcome.CHANGED
        noted = cups(machine).find("library")
        assert noted == THEIRS and machine.state() == before
        machine.apply(None)
        assert there(machine)[0] == (name,)
        cups(machine).note("library", THEIRS)
        cups(machine).remove("library")


def test_one_that_a_person_made_in_place_of_ours_stays_when_policy_goes(machine: Machine) -> None:
    machine.apply(asked(OFFICE))
    cups(machine).note("office", THEIRS)
    assert outcomes(machine.apply(None)) == {"printer:office": Outcome.KEPT}
    assert cups(machine).find("office") == THEIRS and machine.undo.resources() == ()


def test_one_of_ours_that_somebody_changed_goes_all_the_same(machine: Machine) -> None:
    machine.apply(asked(OFFICE))
    ours = cups(machine).find("office")
    assert ours is not None
    cups(machine).note("office", replace(ours, address="socket://198.51.100.1"))
    assert outcomes(machine.apply(None)) == {"printer:office": Outcome.KEPT}
    assert there(machine) == NONE


def test_where_cups_is_not_installed_that_is_said_with_what_to_install(machine: Machine) -> None:
    machine.host = replace(machine.host, printing=None)
    for report in machine.apply(BOTH).reports:
        assert report.outcome is Outcome.NOT_SUPPORTED
        assert "install the packages cups and cups-filters" in report.message


def test_where_cups_does_not_run_nothing_is_claimed(machine: Machine) -> None:
    services = machine.host.services
    assert services is not None
    services.set_active("cups.service", False)
    assert {one.code for one in machine.apply(BOTH).reports} == {"not-supported"}
    services.set_active("cups.service", True)
    assert there(machine) == NONE


def test_ranks_add_up_by_name_and_the_nearer_knows_better() -> None:
    setting = DevicesPrinters()
    moved = {**LIBRARY, "address": "ipp://new.north.example/ipp/print"}
    assert setting.join([LIBRARY], [OFFICE]) == [LIBRARY, OFFICE]
    assert setting.join([LIBRARY, OFFICE], [moved]) == [OFFICE, moved]
    far = [{**LIBRARY, "default": True}]
    assert setting.join(far, [OFFICE]) == [*far, OFFICE], "a default that no nearer rank decides"
    near = {**OFFICE, "default": True}
    assert setting.join(far, [near]) == [LIBRARY, near]


def test_a_farther_ranks_printers_come_with_a_nearer_ones(machine: Machine) -> None:
    far = f"settings:\n  devices.printers: [{quoted({**LIBRARY, 'default': True})}]\n"
    near = f"settings:\n  devices.printers: [{quoted({**OFFICE, 'default': True})}]\n"
    machine.apply(
        compiled(
            source(far, name="district", rank="district", power=True),
            source(near, name="class", rank="class", power=True),
        )
    )
    assert there(machine) == (("library", "office"), "office")
