"""What the service manager does for policy: the same of the simulated one and of systemd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.host.base import Files, Node
from agent.host.services import DISABLED, ENABLED, FOLDER, MASKED, STATIC, Service, Services
from tests.contract.subject import refused

UNIT = "contract-sleeper.service"
WANTS = f"{FOLDER}/multi-user.target.wants/{UNIT}"
TIMER = "contract-sleeper.timer"
DROP_IN = f"{FOLDER}/{TIMER}.d/contract.conf"
#: Says in a file how often it read its configuration, before it counts as running.
TEXT = """\
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo read >>/run/contract-sleeper'
"""
INSTALL = "[Install]\nWantedBy=multi-user.target\n"


@dataclass(frozen=True)
class Managed:
    """A machine without `UNIT`; ``reads()``: how often that read its configuration so far."""

    services: Services
    files: Files
    reads: Callable[[], int]

    def install(self, text: str = TEXT + INSTALL) -> None:
        """The unit's file, known from now on."""
        self.put(f"{FOLDER}/{UNIT}", text)
        self.services.reread()

    def put(self, path: str, text: str) -> None:
        """Write a file."""
        self.files.make_parents(path)
        self.files.write(path, Node("file", 0o644, content=text.encode()))

    def link(self, path: str, target: str) -> None:
        """A link as ``systemctl enable`` and ``mask`` make them."""
        self.files.make_parents(path)
        self.files.write(path, Node("symlink", 0o777, content=target.encode()))
        self.services.reread()


def check_a_unit_that_is_not_there_is_not_known(machine: Managed) -> None:
    assert machine.services.state(UNIT) == Service()
    assert not machine.services.state(UNIT).known
    machine.services.take_in(UNIT)
    machine.services.set_active(UNIT, False)
    refused("not-effective", machine.services.set_active, UNIT, True)


def check_a_unit_is_enabled_by_a_link_and_by_nothing_else(machine: Managed) -> None:
    machine.install()
    assert machine.services.state(UNIT) == Service(DISABLED, False)
    machine.link(WANTS, f"{FOLDER}/{UNIT}")
    assert machine.services.state(UNIT) == Service(ENABLED, False)
    machine.files.remove(WANTS)
    machine.services.reread()
    assert machine.services.state(UNIT) == Service(DISABLED, False)


def check_what_nothing_wants_is_static(machine: Managed) -> None:
    machine.install(TEXT)
    assert machine.services.state(UNIT) == Service(STATIC, False)


def check_a_masked_unit_starts_for_nobody(machine: Managed) -> None:
    machine.link(f"{FOLDER}/{UNIT}", "/dev/null")
    assert machine.services.state(UNIT) == Service(MASKED, False)
    refused("not-effective", machine.services.set_active, UNIT, True)


def check_what_is_to_run_runs_and_what_is_to_stop_stops(machine: Managed) -> None:
    machine.install()
    for _ in range(2):
        machine.services.set_active(UNIT, True)
        assert machine.services.state(UNIT) == Service(DISABLED, True), "running is not being enabled"
    for _ in range(2):
        machine.services.set_active(UNIT, False)
        assert machine.services.state(UNIT) == Service(DISABLED, False)


def check_what_runs_takes_in_what_was_written_and_what_does_not_stays_so(machine: Managed) -> None:
    machine.install()
    before = machine.reads()
    machine.services.take_in(UNIT)
    assert (machine.reads(), machine.services.state(UNIT).active) == (before, False)
    machine.services.set_active(UNIT, True)
    running = machine.reads()
    for round in range(8):  # oftener than systemd has a unit started again by itself
        machine.services.take_in(UNIT)
        assert machine.reads() == running + round + 1
    assert machine.services.state(UNIT).active


def check_the_links_that_would_enable_a_unit_are_what_its_file_says(machine: Managed) -> None:
    assert machine.services.install(UNIT) == {}
    machine.install(TEXT)
    assert machine.services.install(UNIT) == {}
    machine.install(f"{TEXT}[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=multi-user.target\n")
    assert machine.services.install(UNIT) == {WANTS: f"{FOLDER}/{UNIT}"}
    machine.link(WANTS, f"{FOLDER}/{UNIT}")
    assert machine.services.install(UNIT) == {WANTS: f"{FOLDER}/{UNIT}"}, "also when it is enabled"


def check_a_timer_elapses_when_its_last_word_says(machine: Managed) -> None:
    machine.install()  # what it would start
    assert machine.services.calendar(TIMER) == ()
    machine.put(f"{FOLDER}/{TIMER}", "[Timer]\nOnCalendar=*-*-* 06:00:00\nOnCalendar=*-*-* 18:30:00\n")
    machine.services.reread()
    assert machine.services.calendar(TIMER) == ("*-*-* 06:00:00", "*-*-* 18:30:00")
    machine.services.set_active(TIMER, True)
    machine.put(DROP_IN, "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 15:00:00\n")
    machine.services.reread()
    machine.services.take_in(TIMER)
    assert machine.services.calendar(TIMER) == ("*-*-* 15:00:00",)
    machine.files.remove(DROP_IN)
    machine.services.reread()
    machine.services.take_in(TIMER)
    assert machine.services.calendar(TIMER) == ("*-*-* 06:00:00", "*-*-* 18:30:00")


def check_a_name_of_nothing_goes_onto_no_command_line(machine: Managed) -> None:
    for name in (
        "",
        "--version",
        "cups",
        "../x.service",
        "a b.service",
        "*.service",
        "a.target",
        "x\n.service",
    ):
        refused("bad-path", machine.services.state, name)
        refused("bad-path", machine.services.calendar, name)
        refused("bad-path", machine.services.install, name)
        refused("bad-path", machine.services.take_in, name)
        refused("bad-path", machine.services.set_active, name, True)
