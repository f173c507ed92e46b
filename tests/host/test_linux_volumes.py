"""Which volumes are this machine's: found in sysfs, written down, and nothing else is ever touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.linux import volume_record, volumes
from agent.host.linux.encrypted import Encrypted
from agent.host.linux.volume_record import Recorded
from agent.host.linux.volumes import LinuxVolumes
from tests.contract.containers import container, real
from tests.contract.subject import LeftOut, get, mounted, refused
from tests.contract.volumes_checks import Vault
from tests.host.machines import HOME_UUID, MIB, ROOT_UUID, Tree, encrypted_laptop
from tests.leaks import REPOSITORY

STICK = "99999999-9999-4999-8999-999999999999"


# -- found


def test_what_the_machine_runs_from_is_found_the_root_last(tmp_path: Path) -> None:
    found = Encrypted(str(encrypted_laptop(tmp_path))).find()
    assert found == (
        Recorded(HOME_UUID, 2 * MIB * 512, "/home"),
        Recorded(ROOT_UUID, 16 * MIB * 512, "/ swap"),
    )
    assert STICK not in {one.uuid for one in found}, "what is carried away is not the machine's"


def test_what_lies_on_an_encrypted_disk_is_known_by_its_mount(tmp_path: Path) -> None:
    encrypted = Encrypted(str(encrypted_laptop(tmp_path)))
    assert encrypted.holding("/") == {ROOT_UUID}
    assert encrypted.holding("/home") == {HOME_UUID}
    assert encrypted.holding("/boot") == encrypted.holding("/nowhere") == frozenset()
    assert "/media/a stick" in encrypted.mounted()


def test_a_device_is_found_where_it_is_mapped_or_by_its_link(tmp_path: Path) -> None:
    tree = encrypted_laptop(tmp_path)
    encrypted = Encrypted(str(tree))
    assert encrypted.mapped(ROOT_UUID) == "/dev/nvme0n1p2"
    assert encrypted.mapped(STICK) == encrypted.linked(STICK) == encrypted.linked(ROOT_UUID) == ""
    closed = "12121212-3434-4565-8787-909090909090"
    tree.link(f"/dev/disk/by-uuid/{closed}", str(tmp_path / "dev/nvme0n1p1"))
    assert (encrypted.mapped(closed), encrypted.linked(closed)) == ("", "/dev/nvme0n1p1")
    tree.link(f"/dev/disk/by-uuid/{STICK}", str(tmp_path / "dev/sda1"))
    assert encrypted.linked(STICK) == "", "a stick that claims to be ours stays a stick"
    tree.link("/dev/disk/by-uuid/elsewhere", "/etc/passwd")
    assert encrypted.linked("elsewhere") == ""


def test_a_machine_without_encryption_has_none(tmp_path: Path) -> None:
    assert Encrypted(str(tmp_path)).find() == (), "nor one without sysfs"
    tree = Tree(tmp_path)
    tree.device("sda")
    tree.mounts((tree.device("sda1", disk="sda"), "/"))
    tree.device("dm-0", below=["sda1"], uuid="CRYPT-PLAIN-swap")
    tree.swaps(("/dev/dm-0", "partition"), ("/swapfile", "file"))
    encrypted = Encrypted(str(tree))
    assert encrypted.find() == ()
    assert encrypted.swap_is_encrypted(), "a key made anew at each start is a key"
    tree.swaps(("/dev/sda1", "partition"))
    assert not encrypted.swap_is_encrypted()


def test_loops_and_nonsense_in_sysfs_end(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    number = tree.device("dm-0", below=["dm-1"], uuid="CRYPT-LUKS2-short-x")
    tree.device("dm-1", below=["dm-0"], uuid="CRYPT-LUKS2-" + "0" * 32)
    tree.mounts((number, "/"), ("8", "/x"), ("../..", "/y"))
    tree.put("/proc/swaps", "Filename\n\n/dev/dm-0 partition\n")
    assert Encrypted(str(tree)).find() == ()


# -- written down


def test_what_was_found_is_written_once_and_read_back(tmp_path: Path) -> None:
    record = str(tmp_path / "volumes.json")
    machine = LinuxVolumes(record, Encrypted(str(encrypted_laptop(tmp_path))))
    assert machine.names() == ()
    by_hand = Recorded("12121212-3434-4565-8787-909090909090", path="/srv/exams.luks")
    slot = Recorded(ROOT_UUID, student_slot=3)
    volume_record.write([by_hand, slot], record)
    machine.remember()
    names = (by_hand.path, f"/dev/disk/by-uuid/{HOME_UUID}", f"/dev/disk/by-uuid/{ROOT_UUID}")
    assert machine.names() == names
    assert [one.student_slot for one in volume_record.read(record)] == [None, None, 3], "what is known stays"
    before = os.stat(record).st_ino
    machine.remember()
    assert os.stat(record).st_ino == before, "and what has not changed is not written"


WRONG = {
    "no JSON": (b"{", "bad-json"),
    "a list": (b"[]", "bad-config"),
    "no version": (b'{"volumes": []}', "bad-config"),
    "newer": (b'{"v": 2, "volumes": []}', "format-too-new"),
    "no entries": (b'{"v": 1, "volumes": {}}', "bad-config"),
    "an entry that is none": (b'{"v": 1, "volumes": [7]}', "bad-config"),
    "no uuid": (b'{"v": 1, "volumes": [{"path": "/x"}]}', "bad-config"),
    "a uuid that climbs": (b'{"v": 1, "volumes": [{"uuid": "../../sda"}]}', "bad-config"),
    "a relative path": (b'{"v": 1, "volumes": [{"uuid": "%s", "path": "x"}]}', "bad-config"),
    "a negative area": (b'{"v": 1, "volumes": [{"uuid": "%s", "area": -1}]}', "bad-config"),
    "a slot beyond": (b'{"v": 1, "volumes": [{"uuid": "%s", "student-slot": 99}]}', "bad-config"),
    "twice": (b'{"v": 1, "volumes": [{"uuid": "%s"}, {"uuid": "%s"}]}', "bad-config"),
    "endless": (b" " * 70_000, "too-large"),
    "many": (b'{"v": 1, "volumes": [' + b",".join([b"1"] * 33) + b"]}", "bad-config"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_record_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    data, code = WRONG[name]
    (tmp_path / "volumes.json").write_bytes(data.replace(b"%s", ROOT_UUID.encode()))
    machine = LinuxVolumes(str(tmp_path / "volumes.json"))
    refused(code, machine.names)
    refused(code, machine.erase_keys, "/x")


def test_a_record_that_others_could_write_is_not_believed(tmp_path: Path) -> None:
    record = tmp_path / "volumes.json"
    machine = LinuxVolumes(str(record))
    volume_record.write([Recorded(ROOT_UUID)], str(record))
    assert machine.names(), "the control"
    for mode in (0o666, 0o664, 0o646):
        record.chmod(mode)
        refused("not-allowed", machine.names)
    record.unlink()
    record.symlink_to("/etc/passwd")
    refused("bad-path", machine.names)
    record.unlink()
    os.mkfifo(record)
    refused("not-allowed", machine.names)
    if os.geteuid() == 0:
        record.unlink()
        volume_record.write([Recorded(ROOT_UUID)], str(record))
        os.chown(record, 1000, 1000)
        refused("not-allowed", machine.names)


# -- nothing else is touched


def test_a_device_that_was_not_recorded_is_refused(tmp_path: Path) -> None:
    tree = encrypted_laptop(tmp_path)
    record = str(tmp_path / "volumes.json")
    volume_record.write([Recorded(HOME_UUID)], record)
    machine = LinuxVolumes(record, Encrypted(str(tree)))
    for name in ("/dev/nvme0n1p2", f"/dev/disk/by-uuid/{ROOT_UUID}", "/dev/sda", STICK):
        for verb in (machine.keyslots, machine.sample, machine.erase_keys):
            refused("not-found", verb, name)


def test_what_stands_for_a_recorded_device_must_be_one(tmp_path: Path) -> None:
    """The tree's devices are plain files: for a device, that is refused before a byte is read."""
    tree = encrypted_laptop(tmp_path)
    record = str(tmp_path / "volumes.json")
    volume_record.write([Recorded(HOME_UUID), Recorded(STICK)], record)

    class Elsewhere(Encrypted):
        def mapped(self, uuid: str) -> str:
            found = super().mapped(uuid)
            return f"{tmp_path}{found}" if found else ""

    machine = LinuxVolumes(record, Elsewhere(str(tree)))
    refused("bad-path", machine.erase_keys, f"/dev/disk/by-uuid/{HOME_UUID}")
    refused("not-found", machine.erase_keys, f"/dev/disk/by-uuid/{STICK}")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return real(tmp_path, "luks2")


@pytest.mark.needs("cryptsetup")
def test_another_volume_under_the_recorded_name_is_refused(vault: Vault, tmp_path: Path) -> None:
    volume_record.write([Recorded(ROOT_UUID, path=vault.path)], str(tmp_path / "volumes.json"))
    before = get(vault.path)
    refused("not-found", vault.volumes.erase_keys, vault.name)
    assert get(vault.path) == before


@pytest.mark.needs("cryptsetup")
def test_a_file_that_others_could_have_put_there_is_refused(vault: Vault, tmp_path: Path) -> None:
    os.link(vault.path, tmp_path / "another-name")
    refused("bad-path", vault.volumes.erase_keys, vault.name)
    os.unlink(tmp_path / "another-name")
    os.chmod(vault.path, 0o620)
    refused("bad-path", vault.volumes.erase_keys, vault.name)
    os.chmod(vault.path, 0o600)
    tmp_path.chmod(0o777)
    refused("bad-path", vault.volumes.erase_keys, vault.name)
    tmp_path.chmod(0o700)
    assert vault.volumes.keyslots(vault.name).slots == (0, 1), "the control: nothing was lost"


@pytest.mark.needs("cryptsetup")
def test_an_erasure_needs_no_space(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    try:
        with mounted(str(tmp_path / "full"), "tmpfs", "size=24m,mode=700"):
            small = container("luks2")[: 17 << 20]
            (tmp_path / "full/luks").write_bytes(small)
            vault = real(tmp_path / "full", "luks2", small)
            with pytest.raises(OSError, match="No space left"):
                (tmp_path / "full/filler").write_bytes(bytes(30 << 20))
            vault.volumes.erase_keys(vault.name)
            vault.erased()
    except LeftOut as reason:
        pytest.skip(str(reason))


def test_without_cryptsetup_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(volumes, "CRYPTSETUP", "cryptsetup-that-is-not-there")
    (tmp_path / "luks").write_bytes(b"x" * 9000)
    volume_record.write([Recorded(ROOT_UUID, path=f"{tmp_path}/luks")], f"{tmp_path}/volumes.json")
    machine = LinuxVolumes(f"{tmp_path}/volumes.json")
    for verb in (machine.keyslots, machine.sample, machine.erase_keys):
        refused("not-supported", verb, f"{tmp_path}/luks")
    assert get(f"{tmp_path}/luks") == b"x" * 9000


# -- cut short anywhere

ERASE = """
import sys
from agent.host.linux.volumes import LinuxVolumes
LinuxVolumes(sys.argv[1]).erase_keys(sys.argv[2])
"""


@pytest.mark.slow
@pytest.mark.needs("cryptsetup", "strace")
@pytest.mark.parametrize("call", ["write", "pwrite64"])
def test_an_erasure_that_is_killed_before_any_write_is_finished_by_the_next(
    call: str, tmp_path: Path
) -> None:
    """cryptsetup writes by write, we by pwrite: at each, everybody dies."""
    record, path = f"{tmp_path}/volumes.json", f"{tmp_path}/luks"
    program = {
        "write": ["/usr/sbin/cryptsetup", "-q", "luksErase", path],
        "pwrite64": [sys.executable, "-c", ERASE, record, path],
    }[call]
    small, count = container("luks2")[: 17 << 20], 0
    while True:
        count += 1
        vault = real(tmp_path, "luks2", small)
        assert vault.volumes.keyslots(path).slots == (0, 1)
        inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path]
        argv = [*inject, "-e", f"inject={call}:signal=KILL:when={count}", *program]
        ended = subprocess.run(argv, capture_output=True, check=False, cwd=REPOSITORY).returncode
        vault.volumes.erase_keys(path)
        vault.erased()
        assert vault.volumes.sample(path) == ()
        if ended == 0:
            break
        assert ended == -signal.SIGKILL, ended
    assert count > 4, "it was killed at several"


def test_errors_name_the_volume(tmp_path: Path) -> None:
    volume_record.write([Recorded(ROOT_UUID, path=f"{tmp_path}/gone")], f"{tmp_path}/volumes.json")
    with pytest.raises(BookbagError) as caught:
        LinuxVolumes(f"{tmp_path}/volumes.json").keyslots(f"{tmp_path}/gone")
    assert (caught.value.code, caught.value.place) == ("not-found", f"{tmp_path}/gone")
