"""What takes two persons because it changes the machine itself, each as the program that it is about obeys
it: who is asked for the time, the zone, what installs itself and when, who is believed, the kernel, services,
lid and power button; and what no policy can make it is looked for, and told.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.system_checks import ANYWHERE, TIMESYNCD
from tests.lab.acceptance import authorities, tree
from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import bookbag, laptop_reports
from tests.lab.guest import end
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network

#: The last is a copy that the machine's own program makes of each change.
LEFT_OUT = ("/etc/bookbag", "/etc/lab-clock", "/etc/shadow-")
PLACES = ("/etc", "/usr/local")
TTL = "net.ipv4.ip_default_ttl"
LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
SLEEP = "/org/gnome/settings-daemon/plugins/power/sleep-inactive-battery"
#: What a container is not.
UNMET = {"security.disk-encryption", "security.secure-boot", "security.boot-password"}
#: Of a password that root has.
HASH = "$6$lab$of.some.password"
TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
#: fwupd as Debian has systemd and the bus know it, and in place of the program one that does nothing.
FWUPD = ("fwupd.service", "fwupd-refresh.timer")
FWUPD_FILES = {
    "/usr/lib/systemd/system/fwupd.service": "[Service]\nExecStart=/bin/sleep infinity\n",
    "/usr/lib/systemd/system/fwupd-refresh.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "/usr/lib/systemd/system/fwupd-refresh.timer": "[Timer]\nOnCalendar=*-*-* *:00:00\n"
    "[Install]\nWantedBy=timers.target\n",
    "/usr/share/dbus-1/system-services/org.freedesktop.fwupd.service": "[D-BUS Service]\n"
    "Name=org.freedesktop.fwupd\nExec=/bin/false\nUser=root\nSystemdService=fwupd.service\n",
}
ASK_FOR_IT = (
    *("busctl", "--timeout=5", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus"),
    *("org.freedesktop.DBus", "StartServiceByName", "su", "org.freedesktop.fwupd", "0"),
)
#: Writes down who asked for the time.
LISTENER = """
import socket, sys
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.bind((sys.argv[1], 123))
while True:
    print(asked.recvfrom(100)[1][0], flush=True)
"""


@contextmanager
def time_server(network: Network, log: Path) -> Iterator[Path]:
    """Somebody who is asked for the time, and never answers."""
    with log.open("ab") as out:
        process = network.in_lab_ns([sys.executable, "-c", LISTENER, SERVER], stdout=out)
    try:
        yield log
    finally:
        end(process)


def answer(laptop: Laptop, *argv: str) -> str:
    """What a program says, whatever it ends with."""
    done = laptop.run(list(argv), check=False)
    return (done.stdout + done.stderr).strip()


def shown(laptop: Laptop) -> dict[str, str]:
    """How each program stands to it."""
    asked = {
        "zone": ("date", "-d", "2026-01-15", "+%Z"),
        "servers": ("timedatectl", "show-timesync", "--property=SystemNTPServers", "--value"),
        "ours": ("openssl", "verify", "-CApath", "/etc/ssl/certs", "/root/ours.pem"),
        "beyond": ("openssl", "verify", "-CApath", "/etc/ssl/certs", "/root/beyond.pem"),
        "bundle": ("python3", "-c", authorities.KNOWN),
        "kernel": ("cat", f"/proc/sys/{TTL.replace('.', '/')}"),
        "sent": ("ping", "-c1", "-W5", "127.0.0.1"),
        "cron": ("systemctl", "is-active", "cron.service"),
        "started": ("systemctl", "start", "cron.service"),
        "upgrades": ("unattended-upgrade", "--dry-run", "--debug"),
        "ssh": ("sshd", "-T", "-C", "user=student,host=x,addr=192.0.2.1"),
        "lid": ("busctl", "get-property", *LOGIND, "HandleLidSwitch"),
        "button": ("busctl", "get-property", *LOGIND, "HandlePowerKey"),
        "sleep": ("runuser", "-u", "student", "--", "dconf", "read", f"{SLEEP}-timeout"),
        "sleeps": ("runuser", "-u", "student", "--", "dconf", "read", f"{SLEEP}-type"),
        "periodic": ("apt-config", "dump", "APT::Periodic::Unattended-Upgrade"),
    }
    found = {name: answer(laptop, *argv) for name, argv in asked.items()}
    found["ssh"] = "".join(re.findall("^passwordauthentication (.*)$", found["ssh"], re.MULTILINE))
    found["sent"] = "".join(re.findall("ttl=[0-9]+", found["sent"]))
    found["upgrades"] = "".join(re.findall("Allowed origins are: (.*)", found["upgrades"]))
    for unit in TIMERS:
        found[unit] = answer(
            laptop, "systemctl", "show", "--property=NextElapseUSecRealtime", "--value", unit
        )
    return found


def places(laptop: Laptop) -> Mapping[str, str]:
    return {path: line for top in PLACES for path, line in tree.snapshot(laptop, top, LEFT_OUT).items()}


def test_the_machine_itself_obeys_two_persons_and_is_as_before_when_they_withdraw(
    school: School, lab: Lab, tmp_path: Path
) -> None:
    laptop, desk = school.lina, school.desk
    laptop.write(f"/etc/systemd/system/{TIMESYNCD}.d/lab.conf", ANYWHERE)
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "start", TIMESYNCD])
    made = authorities.make("north.example", ours="www.north.example", beyond="www.bank.example")
    for name in ("ours", "beyond"):
        laptop.write(f"/root/{name}.pem", made[name])
    laptop.run(["usermod", "--append", "--groups", "sudo", "teacher"])
    laptop.run(["usermod", "--password", HASH, "root"])
    before, said = places(laptop), shown(laptop)

    control = {
        "ssh": "yes",
        "lid": 's "suspend"',
        "button": 's "poweroff"',
        "sleep": "",
        "sleeps": "",
        "kernel": "64",
        "sent": "ttl=64",
        "cron": "active",
        "started": "",
        "zone": "UTC",
    }
    assert {name: said[name] for name in control} == control
    assert SERVER not in said["servers"] and "Debian-Security" in said["upgrades"]
    assert "OK" not in said["ours"] + said["beyond"] and said["bundle"] == "False"
    assert [said[unit] for unit in TIMERS] == ["", ""], "masked: it waits for no time"

    settings = {
        "time.servers": [SERVER],
        "time.zone": "Africa/Cairo",
        "updates.automatic": {"value": {"packages": "all", "hours": "15:30-21:00"}},
        "devices.lid": "lock",
        "security.ssh": "keys",
        "security.root-password": "locked",
        "power.button": "nothing",
        "power.sleep": {"value": {"battery": "15m", "mains": "never"}},
        **dict.fromkeys(UNMET, "required"),
        "security.certificates": [{"name": "lab", "pem": made["authority"]}],
    }
    resources: tuple[Mapping[str, object], ...] = (
        {"sysctl": {"switch": TTL, "value": "70"}},
        {"service": {"unit": "cron.service", "masked": True}},
        *({"service": {"unit": unit, "masked": False, "active": True}} for unit in TIMERS),
    )
    with time_server(lab.network, tmp_path / "asked") as log:
        desk.policy("system", settings, resources=resources, power=True)
        desk.publish("ict-1", "head-1")
        # Their hours came before the timers were there to keep them; or it looked by itself meanwhile.
        bookbag(laptop, "sync", codes=(0, 2, 6))
        bookbag(laptop, "apply")
        stands = {row["resource"]: row for row in laptop_reports(laptop)}
        wrong = {row["setting"]: row for row in stands.values() if row["outcome"] != "in-force"}
        assert wrong.keys() == UNMET and {row["outcome"] for row in wrong.values()} == {"unmet"}, wrong
        assert "/ is not encrypted" in wrong["security.disk-encryption"]["message"]
        laptop.wait_until(lambda: laptop.address in log.read_text(), 30, "a question for the time")
    told = shown(laptop)
    assert {name: told[name] for name in ("zone", "servers", "kernel", "sent", "cron", "bundle")} == {
        "zone": "EET",
        "servers": SERVER,
        "kernel": "70",
        "sent": "ttl=70",
        "cron": "inactive",
        "bundle": "True",
    }
    assert [told[name] for name in ("ssh", "lid", "button", "sleep", "sleeps")] == [
        *("no", 's "lock"', 's "ignore"', "900", "'suspend'")
    ]
    assert "masked" in told["started"], "nobody can start it"
    assert "ours.pem: OK" in told["ours"] and "permitted subtree violation" in told["beyond"]
    assert told["upgrades"] == "origin=*" and '"1"' in told["periodic"]
    for unit in TIMERS:
        hour = int(re.findall(" ([0-9]{2}):[0-9]{2}:", told[unit])[0])
        assert 15 <= hour < 21, told[unit]

    assert f"root:!{HASH}:" in laptop.read("/etc/shadow")
    desk.withdraw("system")
    desk.publish("ict-1", "head-1")
    bookbag(laptop, "sync")
    assert tree.differences(dict(before), dict(places(laptop))) == []
    after = shown(laptop)
    assert after == said
    assert laptop.run(["systemctl", "is-enabled", *TIMERS], check=False).stdout == "masked\n" * 2
    laptop.run(["usermod", "--password", "*", "root"])
    laptop.run(["gpasswd", "--delete", "teacher", "sudo"])


@pytest.mark.soak
def test_nobody_starts_fwupd_that_is_off_and_one_that_runs_is_not_stopped(school: School) -> None:
    laptop, desk = school.lina, school.desk
    for path, text in FWUPD_FILES.items():
        laptop.write(path, text)
    laptop.run(["systemctl", "daemon-reload"])
    laptop.run(["systemctl", "reload", "dbus.service"])

    def stand() -> list[str]:
        return answer(laptop, "systemctl", "is-active", *FWUPD).split()

    def asked() -> str:
        return laptop.run(list(ASK_FOR_IT), user="student", check=False).stderr

    def told(word: str) -> None:
        desk.policy("firmware", {"updates.firmware": word}, power=True)
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync")
        found = {r["resource"]: r["outcome"] for r in laptop_reports(laptop) if "fwupd" in r["resource"]}
        assert found.keys() == {f"service:{unit}" for unit in FWUPD}
        assert set(found.values()) <= {"in-force", "changed"}, found

    try:
        before = places(laptop)
        assert stand() == ["inactive", "inactive"]
        asked()
        assert stand() == ["active", "inactive"], "the control: a student's call on the bus starts it"
        told("off")
        assert stand() == ["active", "inactive"], "it may be in the middle of its work"
        laptop.run(["systemctl", "stop", FWUPD[0]])
        assert "masked" in answer(laptop, "systemctl", "start", FWUPD[0])
        asked()  # is told that it is masked; or waits with the first call, which this program never answers
        assert stand() == ["inactive", "inactive"]
        told("looked-for")
        assert stand() == ["inactive", "active"]
        laptop.run(["systemctl", "start", FWUPD[0]])
        assert stand() == ["active", "active"]
        desk.withdraw("firmware")
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync")
        assert stand() == ["active", "inactive"]
        assert tree.differences(dict(before), dict(places(laptop))) == []
    finally:
        laptop.run(["systemctl", "stop", *FWUPD], check=False)
        for path in FWUPD_FILES:
            laptop.path(path).unlink()
        laptop.run(["systemctl", "daemon-reload"])
