"""The grade of a lock: each condition that is not seen costs its grade and all above it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.host.linux import volume_record
from agent.host.linux.facts import LinuxFacts
from agent.host.linux.grade import EFI, FIRMWARE, Grade
from agent.host.linux.volume_record import Recorded
from tests.host.machines import HOME_UUID, ROOT_UUID, Tree, debian_pam, encrypted_laptop

SECURE_BOOT = f"{EFI}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SETUP_MODE = f"{EFI}/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c"
GRUB = """\
set superusers="it"
password_pbkdf2 it grub.pbkdf2.sha512.10000.ABCD.EF
menuentry x --unrestricted {
}
"""
SHELL = "[Service]\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n"
SERIAL = "PF1ABCDE"


@pytest.fixture
def laptop(tmp_path: Path) -> Tree:
    """A laptop of the highest grade."""
    tree = encrypted_laptop(tmp_path)
    debian_pam(tmp_path)
    tree.put("/usr/lib/systemd/system/bookbag-lock.target")
    tree.put("/usr/lib/systemd/system/bookbag-locker@.service")
    tree.put("/boot/grub/grub.cfg", GRUB)
    tree.put(SECURE_BOOT, b"\6\0\0\0\1")
    tree.put(SETUP_MODE, b"\6\0\0\0\0")
    tree.put("/etc/shadow", "root:*:19000:0:99999:7:::\nstudent:$y$x:19000:0:99999:7:::\n", 0o640)
    tree.put("/sys/class/dmi/id/product_serial", f"{SERIAL}\n")
    (tmp_path / "etc/bookbag").mkdir()
    record = [Recorded(HOME_UUID, student_slot=1), Recorded(ROOT_UUID, student_slot=1)]
    volume_record.write(record, f"{tree}{volume_record.PATH}")
    tree.put(FIRMWARE, word())
    return tree


def grade(tree: Tree) -> int:
    return LinuxFacts(str(tree)).lock_grade()


def test_a_laptop_with_everything_has_the_highest(laptop: Tree) -> None:
    assert grade(laptop) == 4


def test_a_machine_of_which_nothing_is_known_has_none(tmp_path: Path) -> None:
    assert grade(Tree(tmp_path)) == 0


def gone(path: str) -> Callable[[Tree], None]:
    return lambda tree: (tree.root / path.lstrip("/")).unlink()


def with_file(path: str, text: str | bytes, mode: int = 0o644) -> Callable[[Tree], None]:
    return lambda tree: tree.put(path, text, mode)


def open_to_all(path: str) -> Callable[[Tree], None]:
    return lambda tree: (tree.root / path.lstrip("/")).chmod(0o666)


def word(by: str = "ada", serial: str = SERIAL) -> str:
    return json.dumps({"v": 1, "by": by, "serial": serial, "day": "2026-11-25"})


def recorded(*volumes: Recorded) -> Callable[[Tree], None]:
    return lambda tree: volume_record.write(volumes, f"{tree}{volume_record.PATH}")


LACKS: dict[str, tuple[int, Callable[[Tree], None]]] = {
    "no shared account stage": (0, gone("/etc/pam.d/common-account")),
    "a way in past the gate": (0, with_file("/etc/pam.d/sshd", "account required pam_permit.so\n")),
    "no lock target": (0, gone("/usr/lib/systemd/system/bookbag-lock.target")),
    "no locker": (0, gone("/usr/lib/systemd/system/bookbag-locker@.service")),
    "no GRUB": (1, gone("/boot/grub/grub.cfg")),
    "GRUB without a password": (1, with_file("/boot/grub/grub.cfg", 'set superusers="it"\n')),
    "GRUB with a password in clear": (
        1,
        with_file("/boot/grub/grub.cfg", 'set superusers="it"\npassword it secret\n'),
    ),
    "GRUB without a superuser": (
        1,
        with_file("/boot/grub/grub.cfg", GRUB.replace("set", "# set")),
    ),
    "an empty superuser": (1, with_file("/boot/grub/grub.cfg", GRUB.replace('"it"', '""'))),
    "a second GRUB that is open": (1, with_file("/boot/grub2/grub.cfg", "menuentry x {\n}\n")),
    "no Secure Boot": (1, with_file(SECURE_BOOT, b"\6\0\0\0\0")),
    "no firmware variables": (1, gone(SECURE_BOOT)),
    "a variable cut short": (1, with_file(SECURE_BOOT, b"\6\0\0")),
    "setup mode": (1, with_file(SETUP_MODE, b"\6\0\0\0\1")),
    "a root with a password": (1, with_file("/etc/shadow", "root:$y$j9T$x:19000::::::\n")),
    "a root without a password": (1, with_file("/etc/shadow", "root::19000::::::\n")),
    "no shadow to be read": (1, gone("/etc/shadow")),
    "a rescue shell that never asks": (
        1,
        with_file(
            "/etc/systemd/system/rescue.service.d/x.conf", "[Service]\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n"
        ),
    ),
    "a debug shell": (1, with_file("/etc/systemd/system/sysinit.target.wants/debug-shell.service", "")),
    "no record of volumes": (2, gone(volume_record.PATH)),
    "no slot of the student's": (2, recorded(Recorded(HOME_UUID), Recorded(ROOT_UUID))),
    "a home without one": (2, recorded(Recorded(HOME_UUID), Recorded(ROOT_UUID, student_slot=1))),
    "a damaged record": (2, with_file(volume_record.PATH, "{")),
    "a record that others may write": (2, open_to_all(volume_record.PATH)),
    "swap in clear": (2, lambda tree: tree.swaps(("/dev/nvme0n1p1", "partition"))),
    "nobody's word on the firmware": (3, gone(FIRMWARE)),
    "a word on another machine": (
        3,
        with_file(FIRMWARE, word(serial="OTHER")),
    ),
    "a word of nobody": (3, with_file(FIRMWARE, word(by=""))),
    "a word that anybody could write": (3, open_to_all(FIRMWARE)),
    "a word that is none": (3, with_file(FIRMWARE, "yes")),
    "a firmware without a serial": (3, gone("/sys/class/dmi/id/product_serial")),
}


@pytest.mark.parametrize("lack", LACKS)
def test_what_is_not_seen_is_not_claimed(lack: str, laptop: Tree) -> None:
    most, take_away = LACKS[lack]
    take_away(laptop)
    assert grade(laptop) == most


def test_masked_rescue_shells_are_as_good_as_a_locked_root(laptop: Tree) -> None:
    laptop.put("/etc/shadow", "root:$y$x:19000::::::\n")
    assert grade(laptop) == 1
    for unit in ("rescue", "emergency"):
        laptop.link(f"/etc/systemd/system/{unit}.service", "/dev/null")
    assert grade(laptop) == 4


def test_a_home_in_clear_costs_the_disk(laptop: Tree) -> None:
    text = (laptop.root / "proc/self/mountinfo").read_text()
    clear = laptop.device("sdb")
    laptop.put("/proc/self/mountinfo", text + f"99 1 {clear} / /var rw - ext4 x rw\n")
    assert grade(laptop) == 2
    laptop.put("/proc/self/mountinfo", text + f"99 1 {clear} / /mnt rw - ext4 x rw\n")
    assert grade(laptop) == 4, "what is no place for a student's data"


def test_higher_conditions_do_not_make_up_for_lower_ones(laptop: Tree) -> None:
    (laptop.root / "boot/grub/grub.cfg").unlink()
    assert Grade(str(laptop), SERIAL).now() == 1
