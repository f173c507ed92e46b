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


def process(proc: Path, pid: int, uids: str, state: str = "S (sleeping)") -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "status").write_text(f"Name:\tx:y\nState:\t{state}\nUid:\t{uids}\nGid:\t0\t0\t0\t0\n")


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
