"""Opening a laptop in a folder, and making it the first time."""

from __future__ import annotations

import os
from dataclasses import dataclass

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.host.base import Host, Readings
from agent.host.locking.boot_target import BootTarget
from agent.host.locking.consoles import Consoles
from agent.host.locking.login_gate import OPEN, PATH, LoginGate
from agent.host.locking.sessions import Sessions
from agent.host.sandbox import accounts, volumes
from agent.host.sandbox.accounts import SandboxAccounts
from agent.host.sandbox.apt import SandboxApt
from agent.host.sandbox.assurances import SandboxAssurances
from agent.host.sandbox.certificates import SandboxCertificates
from agent.host.sandbox.clock import SandboxClock
from agent.host.sandbox.console import SandboxConsole
from agent.host.sandbox.dconf import SandboxDconf
from agent.host.sandbox.facts import DISK, SandboxFacts
from agent.host.sandbox.files import OWN_DIRECTORY, SandboxFiles
from agent.host.sandbox.firmware import SandboxFirmware
from agent.host.sandbox.flatpaks import SandboxFlatpaks
from agent.host.sandbox.hardware import SandboxHardware
from agent.host.sandbox.kernel import SandboxKernel
from agent.host.sandbox.network import SandboxFirewall, SandboxLinks
from agent.host.sandbox.newfile import write_new
from agent.host.sandbox.notes import Notes
from agent.host.sandbox.packages import SandboxPackages
from agent.host.sandbox.people import SandboxLogins, SandboxPeople
from agent.host.sandbox.printing import SandboxPrinting
from agent.host.sandbox.programs import SandboxPrograms
from agent.host.sandbox.remote_login import SandboxRemoteLogin
from agent.host.sandbox.resolving import SandboxResolving
from agent.host.sandbox.sensors import SandboxSensors
from agent.host.sandbox.services import SandboxServices
from agent.host.sandbox.sudo import SandboxSudo
from agent.host.sandbox.timekeeping import SandboxTimekeeping
from agent.host.sandbox.units import SandboxUnits
from agent.host.sandbox.wireless import SandboxWireless

FACTS = "facts.json"
#: What opens the volume that a new laptop has: the programme's own key, and the student's.
PASSPHRASES = ("recovery", "student")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a laptop in a folder is made of."""

    files: SandboxFiles
    facts: SandboxFacts
    units: SandboxUnits
    services: SandboxServices
    people: SandboxPeople
    console: SandboxConsole


def open_sandbox(folder: str) -> Host:
    """The laptop in ``folder``, made if need be. Raises ``bad-path`` if that cannot be a folder of ours."""
    folder = os.path.realpath(folder)
    if folder == "/":
        raise BookbagError("bad-path", "cannot use / as a sandbox: it is the real machine", place=folder)
    own = os.path.join(folder, OWN_DIRECTORY)
    try:
        if os.path.islink(own):
            raise BookbagError("bad-path", "cannot use a link as the sandbox's own folder", place=own)
        if not os.path.isdir(own):
            os.makedirs(own, mode=0o700, exist_ok=True)
            durable.sync_directory(folder)
    except OSError as error:
        raise explained(error, "make a sandbox", folder) from error
    parts, clock = open_parts(folder), _clock(own)
    return Host(
        "sandbox",
        parts.files,
        parts.facts,
        clock,
        SandboxDconf(parts.files, parts.facts),
        lock_layers=(
            LoginGate(parts.files, SandboxLogins()),
            BootTarget(parts.files, parts.units),
            Sessions(parts.files, parts.people),
            Consoles(parts.files, parts.units, parts.console),
        ),
        volumes=volumes.SandboxVolumes(folder, parts.facts.volumes()),
        services=parts.services,
        kernel=SandboxKernel(Notes(os.path.join(own, "kernel.json"))),
        certificates=SandboxCertificates(parts.files),
        apt=SandboxApt(parts.files, Notes(os.path.join(own, "apt.json")), clock),
        wireless=SandboxWireless(parts.files, Notes(os.path.join(own, "wireless.json")), parts.services),
        packages=SandboxPackages(Notes(os.path.join(own, "packages.json"))),
        flatpaks=SandboxFlatpaks(Notes(os.path.join(own, "flatpaks.json"))),
        printing=SandboxPrinting(parts.files, Notes(os.path.join(own, "printing.json")), parts.services),
        programs=SandboxPrograms(parts.files, Notes(os.path.join(own, "programs.json"))),
        remote_login=SandboxRemoteLogin(parts.files, parts.services),
        timekeeping=SandboxTimekeeping(parts.files, parts.services),
        assurances=SandboxAssurances(Notes(os.path.join(own, "assurances.json"))),
        firmware=SandboxFirmware(parts.files, Notes(os.path.join(own, "firmware.json"))),
        hardware=SandboxHardware(parts.files),
        accounts=SandboxAccounts(parts.files, folder),
        sudo=SandboxSudo(parts.files),
        firewall=SandboxFirewall(Notes(os.path.join(own, "firewall.json"))),
        resolving=SandboxResolving(parts.files, parts.services),
        links=SandboxLinks(Notes(os.path.join(own, "network.json"))),
        simulated=True,
    )


def open_parts(folder: str) -> Parts:
    """The parts of the laptop in ``folder``, furnished if it is new."""
    own = os.path.join(os.path.realpath(folder), OWN_DIRECTORY)
    files = SandboxFiles(os.path.realpath(folder))
    facts_path = os.path.join(own, FACTS)
    if not os.path.exists(facts_path):
        _furnish(os.path.realpath(folder), files)
    facts = SandboxFacts(facts_path)
    units = Notes(os.path.join(own, "units.json"))
    return Parts(
        files,
        facts,
        SandboxUnits(files, units),
        SandboxServices(files, units),
        SandboxPeople(facts, Notes(os.path.join(own, "sessions.json"))),
        SandboxConsole(Notes(os.path.join(own, "console.json"))),
    )


def _furnish(folder: str, files: SandboxFiles) -> None:
    """What an installed laptop has before anything is asked of it: an open login gate, people, and
    an encrypted disk.
    """
    for path in (PATH, DISK):
        durable.make_directories(os.path.dirname(folder + path), mode=0o755)
    write_new(folder + PATH, OPEN)
    accounts.furnish(files)
    volumes.make(folder + DISK, PASSPHRASES)


def open_readings(folder: str) -> Readings:
    """What can be read of the laptop in ``folder``."""
    own = os.path.join(os.path.realpath(folder), OWN_DIRECTORY)
    os.makedirs(own, mode=0o700, exist_ok=True)
    facts = open_parts(folder).facts
    return Readings(facts, _clock(own), SandboxSensors(os.path.join(own, "sensors.json")))


def _clock(own: str) -> SandboxClock:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return SandboxClock(os.path.join(own, "clock.json"), file.read().strip())
