"""What facts and clock answer on any host."""

from __future__ import annotations

import time

from agent.core.ids import is_id
from agent.host.base import Host


def check_the_serial_is_the_same_each_time(host: Host) -> None:
    serial = host.facts.serial()
    assert serial == serial.strip()
    assert serial == host.facts.serial()
    assert "\n" not in serial


def check_the_system_names_itself(host: Host) -> None:
    system = host.facts.system()
    assert set(system) == {"os", "version", "arch", "host"}
    assert system["host"] == host.name
    assert system["os"] and system["arch"]
    assert all(isinstance(text, str) for text in system.values())


def check_users_are_sorted_people(host: Host) -> None:
    users = host.facts.users()
    assert list(users) == sorted(set(users))
    assert "root" not in users and "nobody" not in users


def check_the_clocks_run(host: Host) -> None:
    wall, boot = host.clock.wall(), host.clock.boottime()
    assert boot >= 0
    end = time.monotonic() + 5
    # Their seconds begin at different moments: each has to be waited for.
    while (host.clock.boottime() == boot or host.clock.wall() == wall) and time.monotonic() < end:
        time.sleep(0.05)
    assert boot < host.clock.boottime() <= boot + 5
    assert host.clock.wall() > wall
    assert host.clock.synchronised() in (True, False)


def check_the_boot_has_one_name(host: Host) -> None:
    name = host.clock.boot_id()
    assert name == host.clock.boot_id()
    assert is_id(name.replace("-", ""))
