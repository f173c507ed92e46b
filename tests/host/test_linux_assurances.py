"""What a machine was seen to be: each lack by itself, beside a laptop that has all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.assurances import DISK, KNOWN, LOADER, SECURE_BOOT
from agent.host.linux.assurances import LinuxAssurances
from tests.host.machines import Tree, encrypted_laptop
from tests.host.test_linux_grade import GRUB, SETUP_MODE, gone, with_file
from tests.host.test_linux_grade import SECURE_BOOT as VARIABLE


@pytest.fixture
def laptop(tmp_path: Path) -> Tree:
    tree = encrypted_laptop(tmp_path)
    tree.put("/boot/grub/grub.cfg", GRUB)
    tree.put(VARIABLE, b"\6\0\0\0\1")
    tree.put(SETUP_MODE, b"\6\0\0\0\0")
    return tree


LACKS: dict[str, tuple[str, str, Callable[[Tree], None]]] = {
    "no GRUB": (LOADER, "GRUB", gone("/boot/grub/grub.cfg")),
    "an open one": (LOADER, "GRUB", with_file("/boot/grub/grub.cfg", "menuentry x {\n}\n")),
    "no UEFI": (SECURE_BOOT, "firmware", gone(VARIABLE)),
    "switched off": (SECURE_BOOT, "firmware", with_file(VARIABLE, b"\6\0\0\0\0")),
    "open to new keys": (SECURE_BOOT, "firmware", with_file(SETUP_MODE, b"\6\0\0\0\1")),
    "swap in clear": (DISK, "swapped out", lambda tree: tree.swaps(("/dev/nvme0n1p1", "partition"))),
}


def test_a_laptop_that_has_everything(laptop: Tree) -> None:
    assert [LinuxAssurances(str(laptop)).lacks(one) for one in KNOWN] == ["", "", ""]


@pytest.mark.parametrize("name", LACKS)
def test_each_lack_is_told_and_no_other(laptop: Tree, name: str) -> None:
    what, word, spoil = LACKS[name]
    spoil(laptop)
    found = {one: LinuxAssurances(str(laptop)).lacks(one) for one in KNOWN}
    assert word in found.pop(what)
    assert set(found.values()) == {""}


def test_of_a_machine_of_which_nothing_is_seen_nothing_is_claimed(tmp_path: Path) -> None:
    found = LinuxAssurances(str(Tree(tmp_path)))
    assert all(found.lacks(one) for one in KNOWN)
    assert "/ is not encrypted" in found.lacks(DISK)


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BookbagError) as caught:
        LinuxAssurances(str(tmp_path)).lacks("../etc")
    assert caught.value.code == "bad-path"
