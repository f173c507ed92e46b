"""Which host this is: the real machine, or a laptop in a folder. Lean: the resident process asks, too."""

from __future__ import annotations

import os

from agent.core.errors import BookbagError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.core.layout import Layout
    from agent.host.base import Host, Readings


def open_host(layout: Layout, *, enrolling: bool = False) -> Host:
    """The host whose files lie where ``layout`` says.

    A folder gives the sandbox, which touches nothing outside it. ``/`` gives the real machine, and only if
    it is a laptop of ours: PID 1 is systemd (``not-allowed``) and it is enrolled (``not-enrolled``), or this
    call is the enrolment's own. So a test or a demonstration run as root cannot lock a developer's machine.
    """
    if layout.root:
        from agent.host.sandbox.laptop import open_sandbox

        return open_sandbox(layout.root)
    check_real(layout, enrolling=enrolling)
    from agent.host.linux.machine import open_machine

    return open_machine()


def open_readings(layout: Layout) -> Readings:
    """What whoever only looks may have, also a user without rights: no check that the machine is ours, for
    nothing is done to it.
    """
    if layout.root:
        from agent.host.sandbox.laptop import open_readings as in_a_folder

        return in_a_folder(layout.root)
    from agent.host.base import Readings as Made
    from agent.host.linux.clock import LinuxClock
    from agent.host.linux.facts import LinuxFacts
    from agent.host.linux.sensors import LinuxSensors

    return Made(LinuxFacts(), LinuxClock(), LinuxSensors())


def check_real(layout: Layout, *, enrolling: bool = False) -> None:
    """Refuse a machine that is not a laptop of ours; see `open_host`."""
    check_systemd()
    if not enrolling and not os.path.isfile(layout.agent_yaml):
        raise BookbagError(
            "not-enrolled",
            "cannot act on this machine: it is not enrolled with a site",
            place=layout.agent_yaml,
            remedy="run: bookbag enrol FILE",
        )


def check_systemd() -> None:
    """Refuse a machine that systemd does not run: ``not-allowed``."""
    if not _systemd_runs():
        raise BookbagError(
            "not-allowed",
            "cannot act on this machine: its first process is not systemd",
            remedy="use --root DIR for a laptop in a folder",
        )


def _systemd_runs() -> bool:
    try:
        with open("/proc/1/comm", encoding="ascii", errors="replace") as file:
            first = file.read().strip()
    except OSError:
        return False
    return first == "systemd" and os.path.isdir("/run/systemd/system")
