"""The real machine as a Host. `agent.host.choose` decides whether it may be opened."""

from __future__ import annotations

import os

from agent.host.base import Host
from agent.host.linux.accounts import LinuxAccounts
from agent.host.linux.apt import PROGRAM as APT_CONFIG
from agent.host.linux.apt import LinuxApt
from agent.host.linux.assurances import LinuxAssurances
from agent.host.linux.certificates import PROGRAM as UPDATE_CERTIFICATES
from agent.host.linux.certificates import LinuxCertificates
from agent.host.linux.clock import LinuxClock
from agent.host.linux.console import LinuxConsole
from agent.host.linux.dconf import LinuxDconf
from agent.host.linux.dpkg import QUERY as DPKG_QUERY
from agent.host.linux.facts import LinuxFacts
from agent.host.linux.files import LinuxFiles
from agent.host.linux.firewall import NFT, LinuxFirewall
from agent.host.linux.firmware import LinuxFirmware
from agent.host.linux.flatpaks import LinuxFlatpaks
from agent.host.linux.hardware import LinuxHardware
from agent.host.linux.kernel import LinuxKernel
from agent.host.linux.links import LinuxLinks
from agent.host.linux.packages import LinuxPackages
from agent.host.linux.pam import Pam
from agent.host.linux.people import LinuxPeople
from agent.host.linux.printing import LPADMIN, LinuxPrinting
from agent.host.linux.programs import OVERRIDE, LinuxPrograms
from agent.host.linux.remote_login import LinuxRemoteLogin
from agent.host.linux.resolving import LinuxResolving
from agent.host.linux.services import LinuxServices
from agent.host.linux.sudo import SUDO, LinuxSudo
from agent.host.linux.timekeeping import LinuxTimekeeping
from agent.host.linux.units import LinuxUnits
from agent.host.linux.volumes import LinuxVolumes
from agent.host.linux.wireless import NMCLI, LinuxWireless
from agent.host.locking.boot_target import BootTarget
from agent.host.locking.consoles import Consoles
from agent.host.locking.login_gate import LoginGate
from agent.host.locking.sessions import Sessions

DCONF = "/usr/bin/dconf"


def open_machine() -> Host:
    """Every capability that this machine has."""
    files = LinuxFiles()
    units = LinuxUnits()
    services = LinuxServices(units)
    return Host(
        "linux",
        files,
        LinuxFacts(),
        LinuxClock(),
        LinuxDconf(files, DCONF) if os.access(DCONF, os.X_OK) else None,
        lock_layers=(
            LoginGate(files, Pam()),
            BootTarget(files, units),
            Sessions(files, LinuxPeople(units)),
            Consoles(files, units, LinuxConsole(units)),
        ),
        volumes=LinuxVolumes(),
        services=services,
        timekeeping=LinuxTimekeeping(services),
        accounts=LinuxAccounts(files),
        hardware=LinuxHardware(),
        assurances=LinuxAssurances(),
        firmware=LinuxFirmware(),
        sudo=LinuxSudo() if os.access(SUDO, os.X_OK) else None,
        firewall=LinuxFirewall() if os.access(NFT, os.X_OK) else None,
        links=LinuxLinks(),
        resolving=LinuxResolving(),
        kernel=LinuxKernel(),
        certificates=LinuxCertificates(files) if os.access(UPDATE_CERTIFICATES, os.X_OK) else None,
        apt=LinuxApt() if os.access(APT_CONFIG, os.X_OK) else None,
        wireless=LinuxWireless() if os.access(NMCLI, os.X_OK) else None,
        remote_login=LinuxRemoteLogin(services),
        packages=LinuxPackages() if os.access(DPKG_QUERY, os.X_OK) else None,
        flatpaks=LinuxFlatpaks(),
        programs=LinuxPrograms(files) if os.access(OVERRIDE, os.X_OK) else None,
        printing=LinuxPrinting() if os.access(LPADMIN, os.X_OK) else None,
    )
