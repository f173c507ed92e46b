"""The lab does what it says, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.lab import cgroups, clock, measure, mounts, sessions, sweep
from tests.lab.errors import CommandFailed, LabError, TimedOut
from tests.lab.fixtures import LaptopFactory
from tests.lab.lab import PROJECT, Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER, Network, namespace_name


def reaches(laptop: Laptop, address: str) -> bool:
    return laptop.run(["ping", "-c1", "-W1", address], check=False).returncode == 0


def test_laptops_and_server_reach_each_other_and_nothing_else(laptop_factory: LaptopFactory) -> None:
    one, two = laptop_factory(name="one"), laptop_factory(name="two")
    assert reaches(one, two.address)
    assert reaches(two, one.address)
    assert reaches(one, SERVER)
    assert one.run(["hostname"]).stdout == "one\n"
    assert one.run(["ip", "route"]).stdout.splitlines() == [
        f"10.77.0.0/24 dev host0 proto kernel scope link src {one.address} "
    ]
    assert one.read("/etc/machine-id") != two.read("/etc/machine-id")


def test_a_cut_cable_cuts_one_laptop_until_it_is_put_back(laptop_factory: LaptopFactory) -> None:
    one, two = laptop_factory(), laptop_factory()
    assert reaches(one, two.address)
    one.set_cable(False)
    assert not reaches(one, two.address)
    assert not reaches(one, SERVER)
    assert reaches(two, SERVER)
    one.reboot()
    assert not reaches(one, SERVER)
    one.set_cable(True)
    one.wait_until(lambda: reaches(one, two.address), 10, "the way back")


def test_files_are_seen_and_written_from_outside(laptop: Laptop) -> None:
    laptop.run(["sh", "-c", "echo inside > /run/note; ln -s /run/note /root/link"])
    assert laptop.read("/run/note") == "inside\n"
    assert laptop.read("/root/link") == "inside\n", "an absolute link stays inside the laptop"
    laptop.write("/srv/deep/file", "outside", mode=0o600, owner=(1000, 1000))
    assert laptop.run(["stat", "-c", "%U %a", "/srv/deep/file"]).stdout == "student 600\n"
    assert laptop.run(["cat", "/srv/deep/file"], user="student").stdout == "outside"
    assert laptop.run(["cat", "/srv/deep/file"], user="teacher", check=False).returncode == 1
    assert not laptop.exists("/srv/deep/none")


def test_a_restart_keeps_the_disk_and_clears_run(laptop: Laptop) -> None:
    laptop.write("/srv/kept", "1")
    laptop.write("/run/gone", "1")
    before = laptop.read("/proc/sys/kernel/random/boot_id")
    laptop.reboot()
    assert laptop.read("/srv/kept") == "1"
    assert not laptop.exists("/run/gone")
    assert laptop.read("/proc/sys/kernel/random/boot_id") != before


def test_a_restart_that_the_laptop_orders_itself(laptop: Laptop) -> None:
    laptop.run(["systemd-run", "--on-active=0.3", "--timer-property=AccuracySec=10ms", "systemctl", "reboot"])
    laptop.wait_for_restart()
    assert laptop.run(["uptime"]).stdout


def test_a_crash_is_sudden_and_keeps_what_was_written(laptop: Laptop) -> None:
    stop = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\nExecStop=touch /srv/stopped\n"
    laptop.write("/etc/systemd/system/polite.service", stop)
    laptop.run(["systemctl", "start", "polite"])
    laptop.write("/srv/kept", "1")
    laptop.crash()
    assert laptop.read("/srv/kept") == "1", "the disk can be read while it is off"
    with pytest.raises(LabError, match="is off"):
        laptop.run(["true"])
    laptop.boot()
    assert laptop.read("/srv/kept") == "1"
    assert not laptop.exists("/srv/stopped")
    laptop.run(["systemctl", "start", "polite"])
    laptop.power_off()
    assert laptop.exists("/srv/stopped"), "while a shutdown stops services"


def test_a_failing_command_says_why(laptop: Laptop) -> None:
    with pytest.raises(CommandFailed, match="No such file"):
        laptop.run(["cat", "/none"])
    with pytest.raises(TimedOut, match=r"sleep 60 in laptop\d+ beyond 0.2 s"):
        laptop.run(["sleep", "60"], timeout=0.2)
    laptop.wait_until(lambda: laptop.run(["pgrep", "-x", "sleep"], check=False).returncode == 1, 5)
    assert laptop.run(["cat"], input="said").stdout == "said"
    laptop.run(["logger", "remember this"])
    with pytest.raises(TimedOut, match=r"(?s)the moon.*remember this"):
        laptop.wait_until(lambda: False, 0.3, "the moon")


def test_a_person_logs_in_and_has_settings_of_her_own(laptop: Laptop) -> None:
    number = sessions.log_in(laptop, "student")
    properties = laptop.run(["loginctl", "show-session", number, "-p", "Name", "-p", "State"]).stdout
    assert "Name=student" in properties
    delay = ["org.gnome.desktop.screensaver", "lock-delay"]
    assert laptop.run(["gsettings", "get", *delay], user="student").stdout == "uint32 0\n"
    laptop.run(["gsettings", "set", *delay, "30"], user="student")
    assert laptop.run(["gsettings", "get", *delay], user="student").stdout == "uint32 30\n"
    assert laptop.run(["gsettings", "get", *delay], user="teacher").stdout == "uint32 0\n"
    sessions.log_out(laptop, "student")
    laptop.wait_until(lambda: not sessions.sessions(laptop, "student"), 10, "the end of the session")


def test_pam_can_refuse_a_login(laptop: Laptop) -> None:
    laptop.write("/etc/security/access.conf", "-:student:ALL\n")
    account = laptop.read("/etc/pam.d/common-account")
    laptop.write("/etc/pam.d/common-account", f"account required pam_access.so\n{account}")
    with pytest.raises(LabError, match="PAM"):
        sessions.log_in(laptop, "student")
    sessions.log_in(laptop, "teacher")


def test_services_are_measured_from_outside(laptop: Laptop) -> None:
    code = "import time; held = bytearray(30 << 20); print(len(held), flush=True); time.sleep(60)"
    laptop.run(["systemd-run", "--unit=hungry", "python3", "-c", code])
    laptop.wait_until(lambda: measure.unit_pss(laptop, "hungry.service") > 30 << 20, 10, "its memory")
    assert measure.unit_pss(laptop, "hungry.service") < 60 << 20
    assert 0 < measure.unit_cpu(laptop, "hungry.service") < 5
    assert len(measure.unit_pids(laptop, "hungry.service")) == 1
    laptop.run(["systemctl", "stop", "hungry"])
    with pytest.raises(LabError, match="is not running"):
        measure.unit_pss(laptop, "hungry.service")


TELL_TIME = """
import datetime, os, time
while True:
    now = datetime.datetime.now().timestamp()
    with open("/run/{0}/new", "w") as file:
        print(time.time(), now, time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), file=file)
    os.rename("/run/{0}/new", "/run/{0}/now")
    time.sleep(0.05)
"""


def test_a_service_has_a_wrong_clock_and_its_neighbour_has_not(laptop: Laptop) -> None:
    for name in ("wrong", "right"):
        laptop.write(f"/srv/{name}.py", TELL_TIME.format(name))
        unit = f"[Service]\nExecStart=python3 /srv/{name}.py\nProtectSystem=strict\nRuntimeDirectory={name}\n"
        laptop.write(f"/etc/systemd/system/{name}.service", unit)
    clock.set_fake_time(laptop, "wrong.service", "1970-01-02 00:00:00")
    laptop.run(["systemctl", "start", "wrong", "right"])

    def shows(name: str) -> list[float]:
        laptop.wait_until(lambda: laptop.exists(f"/run/{name}/now"), 5)
        return [float(word) for word in laptop.read(f"/run/{name}/now").split()]

    wrong, right = shows("wrong"), shows("right")
    assert all(86_400 <= reading < 86_460 for reading in wrong[:2])
    assert right[0] > clock.seconds("2024-01-01 00:00:00")
    assert abs(wrong[2] - right[2]) < 5, "intervals stay true"
    assert abs(wrong[3] - right[3]) < 5
    clock.set_fake_time(laptop, "wrong.service", "2039-06-01 00:00:00")
    laptop.wait_until(
        lambda: shows("wrong")[0] > clock.seconds("2039-06-01 00:00:00"), 5, "the new time, unasked"
    )
    assert laptop.run(["date", "+%Y"], env=clock.at(laptop, "2031-01-01 00:00:00")).stdout == "2031\n"


def test_sandboxing_of_units_works_as_on_a_real_laptop(laptop: Laptop) -> None:
    ping = ["ping", "-c1", "-W1", SERVER]
    run = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect"]
    assert laptop.run([*run, *ping], check=False).returncode == 0
    assert laptop.run([*run, "-p", "IPAddressDeny=any", *ping], check=False).returncode != 0
    assert laptop.run([*run, "-p", "ProtectSystem=strict", "touch", "/srv/x"], check=False).returncode != 0
    assert laptop.run([*run, "touch", "/srv/x"], check=False).returncode == 0


def test_the_firewall_is_the_laptops_own(laptop_factory: LaptopFactory) -> None:
    one, two = laptop_factory(), laptop_factory()
    rules = f"table inet t {{ chain out {{ type filter hook output priority 0; ip daddr {SERVER} drop; }}; }}"
    one.run(["nft", "-f", "-"], input=rules)
    assert not reaches(one, SERVER)
    assert reaches(two, SERVER)
    one.run(["nft", "delete", "table", "inet", "t"])
    assert reaches(one, SERVER)


def test_a_server_on_the_labs_network(laptop: Laptop, network: Network, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("hello")
    server = network.serve_folder(tmp_path, 8080)
    fetch = f"import urllib.request as u; print(u.urlopen('http://{SERVER}:8080/page').read().decode())"
    laptop.wait_until(lambda: laptop.run(["python3", "-c", fetch]).stdout == "hello\n", 10, "the page")
    network.stop(server)
    assert laptop.run(["python3", "-c", fetch], check=False).returncode == 1


def test_only_what_a_test_forgot_is_stopped_with_it(lab: Lab) -> None:
    network = lab.network
    lasting = network.in_lab_ns(["sleep", "1000"])
    with network.forgetful():
        stopped, forgotten = network.in_lab_ns(["sleep", "1000"]), network.in_lab_ns(["sleep", "1000"])
        network.stop(stopped)
        assert forgotten.poll() is None
    assert forgotten.poll() is not None and lasting.poll() is None
    network.stop(lasting)


def traces(identifier: str) -> list[str]:
    """What a run of the lab would be noticed by."""
    found = [str(path) for path in mounts.below(sweep.runs_folder() / identifier)]
    found += [str(path) for path in sweep.runs_folder().glob(f"{identifier}*")]
    found += [name for name in cgroups.leftovers() if name == identifier]
    found += [str(path) for path in Path("/run/systemd/nspawn").glob(f"*/bb{identifier}*")]
    namespaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    return found + [name for name in namespaces.split() if name == namespace_name(identifier)]


SCRIPT = """
import sys
import threading
from tests.lab.lab import Lab
from tests.lab.image import base_image
with Lab() as lab:
    lab.network.in_lab_ns(["sleep", "1000"])
    laptop = lab.laptop(base_image())
    laptop.boot()
    print(lab.identifier, flush=True)
    sys.stdin.read()
    raise SystemExit(3)
"""


@pytest.mark.parametrize("killed", [True, False])
def test_a_run_that_ends_badly_leaves_nothing(lab: Lab, killed: bool, laptop: Laptop) -> None:
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        identifier = other.stdout.readline().strip()
        assert len(traces(identifier)) >= 5
        if killed:
            other.kill()
        other.stdin.close()
        assert other.wait() == (-9 if killed else 3)
    laptop.wait_until(lambda: not traces(identifier), 10, "the other run's traces to go")
    assert laptop.run(["true"]).returncode == 0, "while this run goes on"


def test_groups_that_end_while_they_are_counted_are_passed_over(lab: Lab) -> None:
    """As the sessions of a laptop that is just going down do."""
    ended = threading.Event()
    group = cgroups.Group(f"{cgroups.PREFIX}{lab.identifier}/churn").make()

    def churn() -> None:
        while not ended.is_set():
            below = cgroups.Group(f"{group.name}/user/session").make()
            below.path.rmdir()
            below.path.parent.rmdir()

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        assert {tuple(group.pids()) for _ in range(3000)} == {()}
    finally:
        ended.set()
        thread.join()
        group.remove()
    assert not group.path.exists()
