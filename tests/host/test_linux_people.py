"""Who counts as a person, what acts for one, and the keys of the machine; their end is shown on real
laptops.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agent.host.linux import people
from agent.host.linux.console import LinuxConsole
from agent.host.linux.people import LinuxPeople, is_person
from agent.host.linux.units import LinuxUnits
from tests.contract.subject import refused


@pytest.mark.parametrize("uid", [1000, 1001, 59_999, 60_001, 60_513])
def test_people_are_people(uid: int) -> None:
    assert is_person(uid)


@pytest.mark.parametrize(
    "uid", [-1, 0, 1, 33, 999, 60_000, 61_184, 65_519, 65_534, 65_535, 100_000, 1_000_000]
)
def test_the_system_and_containers_are_not(uid: int) -> None:
    assert not is_person(uid)


def test_whoever_a_directory_knows_by_name_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_name", lambda uid: "zoe" if uid == 220_001 else str(uid))
    assert is_person(220_001) and not is_person(220_002)


def process(
    proc: Path, pid: int, uids: str, state: str = "S (sleeping)", cgroup: str = "/init.scope"
) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "status").write_text(f"Name:\tx:y\nState:\t{state}\nUid:\t{uids}\nGid:\t0\t0\t0\t0\n")
    (proc / str(pid) / "cgroup").write_text(f"1:name=systemd:/other\n0::{cgroup}\n")


def test_a_process_is_a_persons_if_it_could_act_for_one(tmp_path: Path) -> None:
    process(tmp_path, 1, "0\t0\t0\t0")
    process(tmp_path, 10, "1000\t1000\t1000\t1000")
    process(tmp_path, 11, "1001\t0\t0\t0")  # begun by a person, acting as root
    process(tmp_path, 12, "0\t1002\t0\t1002")
    process(tmp_path, 13, "1003\t1003\t1003\t1003", state="Z (zombie)")
    process(tmp_path, 14, "65534\t65534\t65534\t65534")
    (tmp_path / "15").mkdir()  # has just ended
    (tmp_path / "self").mkdir()
    found = LinuxPeople(LinuxUnits(), str(tmp_path))
    assert sorted(found._processes()) == [(10, 1000), (11, 1001), (12, 1002)]


def four(uid: int) -> str:
    return f"{uid}\t{uid}\t{uid}\t{uid}"


def test_a_process_under_a_uid_that_was_lent_to_a_person_is_that_persons(tmp_path: Path) -> None:
    subuid = tmp_path / "subuid"
    subuid.write_text(
        "root:300000:65536\ndaemon:400000:10\n1001:100000:65536\n1002:165536:65536\nghost:500000:9\n"
    )
    proc = tmp_path / "proc"
    proc.mkdir()
    for pid, uids in {
        10: four(100_000),
        11: four(165_535),
        12: four(165_536),
        13: f"{four(0)[:-1]}165540",  # only its files are someone else's
        20: four(231_072),  # nobody's
        21: four(300_000),  # a container of root's
        22: four(400_001),
        23: four(500_001),  # of an account that is not known here: nobody can take it
        24: four(0),
    }.items():
        process(proc, pid, uids)
    found = LinuxPeople(LinuxUnits(), str(proc), str(subuid))
    assert sorted(found._processes()) == [(10, 1001), (11, 1001), (12, 1002), (13, 1002)]
    subuid.unlink()
    assert not list(found._processes()), "the control: all of it is told from that file"


def test_who_lends_to_people_what_is_the_systems_too_has_lent_it_to_people(tmp_path: Path) -> None:
    subuid, proc = tmp_path / "subuid", tmp_path / "proc"
    subuid.write_text("root:100000:65536\n1001:100000:65536\n")
    proc.mkdir()
    process(proc, 10, four(100_001))
    assert list(LinuxPeople(LinuxUnits(), str(proc), str(subuid))._processes()) == [(10, 1001)]


def test_a_uid_of_nobodys_is_a_persons_in_a_users_slice_and_in_what_cron_and_at_began(tmp_path: Path) -> None:
    subuid, proc = tmp_path / "subuid", tmp_path / "proc"
    subuid.write_text("root:300000:65536\n")
    proc.mkdir()
    cron = "/system.slice/cron.service"
    for pid, uid, cgroup in (
        (10, 250_000, cron),
        (11, 250_001, f"{cron}/deeper"),
        (12, 250_002, "/system.slice/atd.service"),
        (13, 250_003, "/user.slice/user-1001.slice/session-3.scope"),
        (20, 0, cron),  # the daemon, and a job of root's
        (21, 33, cron),  # a system user's
        (22, 65_534, cron),
        (23, 300_001, cron),  # a container that a job of root's began
        (24, 250_004, "/system.slice/cron.service.d"),
        (25, 250_005, "/machine.slice/systemd-nspawn@box.service/payload/system.slice/cron.service"),
        (26, 250_006, "/user.slice/user-0.slice/session-1.scope"),
        (27, 250_007, "/user.slice/user-113.slice/session-c1.scope"),  # the login screen's
    ):
        process(proc, pid, four(uid), cgroup=cgroup)
    found = LinuxPeople(LinuxUnits(), str(proc), str(subuid))
    assert sorted(found._processes()) == [(10, 250_000), (11, 250_001), (12, 250_002), (13, 1001)]


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes a person's other uid")
def test_what_runs_under_a_lent_uid_is_ended_and_what_runs_under_the_systems_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of persons here only the one that nothing on this machine belongs to."""
    monkeypatch.setattr(people, "is_person", lambda one: one == 60_408)
    subuid = tmp_path / "subuid"
    subuid.write_text("60408:231072:100\nroot:300000:100\n")
    script = ["sh", "-c", "sleep 60 & echo; wait"]
    theirs = subprocess.Popen(script, user=231_100, group=231_100, process_group=0, stdout=subprocess.PIPE)
    roots = subprocess.Popen(["sleep", "60"], user=300_001, group=300_001)
    try:
        ended = LinuxPeople(LinuxUnits(), subuid=str(subuid))
        assert theirs.stdout is not None and theirs.stdout.readline() == b"\n"
        assert [uid for _, uid in ended._processes()] == [60_408, 60_408]
        while ended._kill_all():
            theirs.poll()
        assert not list(ended._processes())
        assert theirs.wait(10) == -9
        assert roots.poll() is None
    finally:
        for one in (theirs, roots):
            one.kill()
            one.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes a person")
def test_a_process_that_multiplies_is_ended_with_all_that_it_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those of a uid that nothing else on this machine has."""
    uid = 60_407
    monkeypatch.setattr(people, "is_person", lambda one: one == uid)
    bomb = subprocess.Popen(["sh", "-c", "while :; do sleep 60 & done"], user=uid, group=uid, process_group=0)
    try:
        ended = LinuxPeople(LinuxUnits())
        while len(list(ended._processes())) < 50:
            pass
        rounds = 0
        while ended._kill_all():
            rounds += 1
            bomb.poll()
        assert rounds
        assert not [pid for pid, _ in ended._processes()]
        assert bomb.wait(10) == -9
    finally:
        bomb.kill()
        bomb.wait()


def test_what_sysrq_may_do_is_read_and_set_where_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "sysrq"
    console = LinuxConsole(LinuxUnits(), str(path))
    assert console.sysrq() is None, "a kernel without it"
    path.write_text("438\n")
    assert console.sysrq() == 438
    console.set_sysrq(0)
    assert console.sysrq() == 0
    path.write_text("nonsense\n")
    assert console.sysrq() is None
    path.unlink()
    path.mkdir()
    assert console.sysrq() is None
    refused("bad-path", console.set_sysrq, 1)
