"""Files of configuration that a program has to take in: told when they change, told again when nobody can
know whether it was, asked what it obeys, and left alone where it is not installed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agent.core.errors import BookbagError
from agent.core.model import Outcome
from agent.host.base import Node
from agent.host.sandbox.services import SandboxServices
from agent.host.services import MASKED, Service
from agent.policy.compiled import Compiled
from agent.policy.resources.dconf import COMPILED
from agent.policy.resources.service import Service as ServiceKind
from agent.policy.resources.timesyncd import UNIT, Timesyncd
from tests.policy.machine import Machine, compiled, outcomes, source

SERVERS = compiled(source("settings:\n  time.servers: [time.example]\n", power=True))
PATH = Timesyncd().path


def services(machine: Machine) -> SandboxServices:
    assert isinstance(machine.host.services, SandboxServices)
    return machine.host.services


def told(machine: Machine) -> int:
    return services(machine).taken_in().get(UNIT, 0)


def test_the_program_is_told_once_of_each_change_and_of_nothing_else(machine: Machine) -> None:
    machine.apply(SERVERS)
    assert told(machine) == 1
    machine.apply(SERVERS)
    machine.engine.audit(SERVERS)
    assert told(machine) == 1
    machine.apply(None)
    assert told(machine) == 2


def test_a_withdrawal_that_was_cut_short_tells_the_program_all_the_same(machine: Machine) -> None:
    """The file was put back, and then the power went: that it is as before says nothing of the program."""
    machine.apply(SERVERS)
    machine.remove(PATH)
    machine.host.files.remove_empty([PATH.rpartition("/")[0]])
    plan = machine.plan(None)
    assert [step.id for step in plan.steps if not step.id.startswith("directory:")] == ["timesyncd:servers"]
    assert outcomes(machine.apply(None)) == {"timesyncd:servers": Outcome.RESTORED}
    assert told(machine) == 2
    assert machine.undo.resources() == () and machine.plan(None).empty


def test_the_desktop_too_is_told_when_a_withdrawal_goes_on(machine: Machine) -> None:
    """Or a database would go on forcing what no file says any more."""
    policy = compiled(source("settings:\n  screen-lock.after: 10m\n"))
    machine.apply(policy)
    for item in policy.items():
        if item.id.startswith("dconf:"):
            for path in item.resource().paths():
                machine.remove(path)
    machine.apply(None)
    assert machine.read(COMPILED) is None
    assert machine.undo.resources() == ()


def test_a_file_that_was_there_and_is_kept_is_nobodys_to_take_away(machine: Machine) -> None:
    machine.write(PATH, Timesyncd(["time.example"]).text())
    before = machine.state()
    assert machine.plan(SERVERS).empty
    machine.apply(SERVERS)
    machine.apply(None)
    assert machine.state() == before
    assert told(machine) == 0


def test_what_the_program_obeys_is_asked_and_not_what_is_written(machine: Machine) -> None:
    services(machine).set_active(UNIT, False)
    (report,) = machine.apply(SERVERS).reports
    assert (report.outcome, report.code) == (Outcome.NOT_EFFECTIVE, "not-effective")
    assert "does not run" in report.message
    services(machine).set_active(UNIT, True)
    machine.now += 7200
    assert outcomes(machine.apply(SERVERS)) == {"timesyncd:servers": Outcome.IN_FORCE}


def test_where_the_program_is_not_installed_nothing_is_written(machine: Machine) -> None:
    before = machine.state()
    machine.host = replace(machine.host, services=Without(services(machine)))
    assert outcomes(machine.apply(SERVERS)) == {"timesyncd:servers": Outcome.NOT_SUPPORTED}
    assert machine.state() == before and machine.undo.resources() == ()


def test_a_program_that_went_away_since_is_no_reason_to_leave_its_file(machine: Machine) -> None:
    before = machine.state()
    machine.apply(SERVERS)
    machine.host = replace(machine.host, services=Without(services(machine)))
    assert outcomes(machine.apply(None)) == {"timesyncd:servers": Outcome.RESTORED}
    assert machine.state() == before


def test_a_program_that_does_not_come_up_again_fails_alone_and_is_put_right_later(machine: Machine) -> None:
    real = services(machine)
    machine.host = replace(machine.host, services=Broken(real))
    motd = source('resources:\n  - file: {path: /etc/motd, content: "x"}\n', name="other")
    both = compiled(source("settings:\n  time.servers: [time.example]\n", power=True), motd)
    found = outcomes(machine.apply(both))
    assert found == {"timesyncd:servers": Outcome.FAILED, "file:/etc/motd": Outcome.CHANGED}
    machine.host = replace(machine.host, services=real)
    machine.apply(both)
    assert set(outcomes(machine.apply(both)).values()) == {Outcome.IN_FORCE}
    machine.apply(None)
    assert machine.read(PATH) is None


class Without:
    """A service manager that knows no unit."""

    def __init__(self, real: SandboxServices) -> None:
        self._real = real

    def state(self, unit: str) -> Service:
        return Service()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Broken(Without):
    """One whose units do not come up again."""

    def state(self, unit: str) -> Service:
        return self._real.state(unit)

    def take_in(self, unit: str) -> None:
        raise BookbagError("not-effective", f"cannot start {unit}")


# -- services


CUPS = "cups.service"
WANTS = f"/etc/systemd/system/multi-user.target.wants/{CUPS}"


def service(text: str) -> Compiled:
    return compiled(source(f"resources:\n  - service: {{unit: {CUPS}, {text}}}\n", power=True))


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "masked: true",
        "enabled: true",
        "enabled: false, active: false",
        "enabled: true, active: true",
        "masked: false, active: true",
    ],
)
def test_a_service_runs_and_starts_again_as_before(machine: Machine, text: str, running: bool) -> None:
    services(machine).set_active(CUPS, running)
    before = machine.state()
    wanted = service(text)
    assert not machine.apply(wanted).failed
    assert machine.plan(wanted).empty
    assert not machine.apply(None).failed
    assert (machine.state(), services(machine).state(CUPS).active) == (before, running)


@pytest.mark.parametrize(("unit", "goes_on"), [("fwupd.service", True), (CUPS, False)])
def test_what_may_be_writing_firmware_starts_no_more_and_is_not_stopped(
    machine: Machine, unit: str, goes_on: bool
) -> None:
    """Also when it ends by itself in between: nobody starts it again for having run before."""
    services(machine).set_active(unit, True)
    before = machine.state()
    wanted = compiled(source(f"resources:\n  - service: {{unit: {unit}, masked: true}}\n", power=True))
    assert not machine.apply(wanted).failed
    assert services(machine).state(unit) == Service(MASKED, goes_on)
    services(machine).set_active(unit, False)
    assert machine.plan(wanted).empty
    assert not machine.apply(None).failed
    assert machine.state() == before
    assert services(machine).state(unit).active is not goes_on


def test_what_nobody_decided_may_change_without_being_undone_or_in_the_way(machine: Machine) -> None:
    before = machine.state()
    machine.apply(service("enabled: true"))
    services(machine).set_active(CUPS, False)
    assert outcomes(machine.apply(None)) == {f"service:{CUPS}": Outcome.RESTORED}
    assert machine.state() == before
    assert not services(machine).state(CUPS).active, "who stopped it meant it"


def test_policies_that_follow_each_other_leave_a_service_as_it_was_before_the_first(machine: Machine) -> None:
    """Also where the later says less of it: what the first stopped is not what was there."""
    services(machine).set_active(CUPS, True)
    before = machine.state()
    for text in ("masked: true", "masked: false", "enabled: true, active: false", "enabled: false"):
        wanted = service(text)
        assert not machine.apply(wanted).failed
        assert machine.plan(wanted).empty
    assert not machine.apply(None).failed
    assert (machine.state(), services(machine).state(CUPS).active) == (before, True)


def test_a_mask_goes_even_where_somebody_changed_other_links(machine: Machine) -> None:
    machine.apply(service("masked: true"))
    machine.host.files.make_parents(WANTS)
    machine.host.files.write(WANTS, Node("symlink", 0o777, content=b"/x"))
    assert outcomes(machine.apply(None)) == {f"service:{CUPS}": Outcome.KEPT}
    assert machine.host.files.read(f"/etc/systemd/system/{CUPS}") is None
    assert machine.host.files.read(WANTS) is not None, "theirs"


def test_a_service_that_stopped_is_started_again(machine: Machine) -> None:
    wanted = service("active: true")
    machine.apply(wanted)
    services(machine).set_active(CUPS, False)
    assert set(outcomes(machine.apply(wanted)).values()) == {Outcome.HEALED}
    assert services(machine).state(CUPS).active


def test_of_two_documents_one_holds_the_unit(machine: Machine) -> None:
    one = source(f"resources:\n  - service: {{unit: {CUPS}, masked: true}}\n", name="one", power=True)
    other = f"resources:\n  - service: {{unit: {CUPS}, enabled: true}}\n"
    two = source(other, name="two", rank="class", power=True)
    assert outcomes(machine.apply(compiled(one, two))) == {f"service:{CUPS}": Outcome.CHANGED}


def test_the_identity_of_a_service_is_enough_to_put_it_back() -> None:
    said = (ServiceKind(CUPS, enabled=True), ServiceKind(CUPS, masked=True), ServiceKind(CUPS, active=False))
    for one in said:
        assert ServiceKind.named(one.name).id == one.id


# -- the kernel


SWITCH = "vm.swappiness"
SYSCTL = f"resources:\n  - sysctl: {{switch: {SWITCH}, value: '10'}}\n"


def test_a_switch_is_as_before_in_the_kernel_and_not_only_on_disk(machine: Machine) -> None:
    kernel = machine.host.kernel
    assert kernel is not None
    kernel.set(SWITCH, "33")
    before = machine.state()
    wanted = compiled(source(SYSCTL, power=True))
    machine.apply(wanted)
    assert kernel.value(SWITCH) == "10"
    kernel.set(SWITCH, "11")
    assert set(outcomes(machine.apply(wanted)).values()) == {Outcome.HEALED}
    assert kernel.value(SWITCH) == "10"
    machine.apply(None)
    assert (machine.state(), kernel.value(SWITCH)) == (before, "33")


def test_a_switch_that_somebody_set_since_stays_so_and_its_file_goes(machine: Machine) -> None:
    kernel = machine.host.kernel
    assert kernel is not None
    before = machine.state()
    machine.apply(compiled(source(SYSCTL, power=True)))
    kernel.set(SWITCH, "11")
    assert outcomes(machine.apply(None)) == {f"sysctl:{SWITCH}": Outcome.KEPT}
    assert (machine.state(), kernel.value(SWITCH)) == (before, "11")
