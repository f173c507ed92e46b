"""Every check there is, found by listing the modules."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.contract import (
    accounts_checks,
    dconf_checks,
    files_checks,
    firewall_checks,
    firmware_checks,
    firmware_password_checks,
    flatpaks_checks,
    hardware_checks,
    hostile_checks,
    lock_checks,
    machine_checks,
    packages_checks,
    printing_checks,
    programs_checks,
    resolving_checks,
    sensor_checks,
    services_checks,
    ssh_checks,
    system_checks,
    volumes_checks,
    watch_checks,
    wireless_checks,
)

Check = Callable[[Any], None]


def of(*modules: ModuleType) -> dict[str, Check]:
    """Name → function of every check in ``modules``."""
    return {
        name.removeprefix("check_"): check
        for module in modules
        for name, check in vars(module).items()
        if name.startswith("check_") and callable(check)
    }


FILES = of(files_checks, hostile_checks)
WATCH = of(watch_checks)
DCONF = of(dconf_checks)
MACHINE = of(machine_checks)
SENSORS = of(sensor_checks)
SSH = of(ssh_checks)
SERVICES = of(services_checks)
SYSTEM = of(system_checks)
FLATPAKS = of(flatpaks_checks)
PACKAGES = of(packages_checks)
PROGRAMS = of(programs_checks)
PRINTING = of(printing_checks)
RESOLVING = of(resolving_checks)
LOCK = of(lock_checks)
VOLUMES = of(volumes_checks)
HARDWARE = of(hardware_checks)
ACCOUNTS = of(accounts_checks)
FIREWALL = of(firewall_checks)
FIRMWARE = of(firmware_checks)
FIRMWARE_PASSWORD = of(firmware_password_checks)
WIRELESS = of(wireless_checks)
