"""What a real machine was seen to be: its disks in sysfs, the firmware's own variables, GRUB's menu."""

from __future__ import annotations

from agent.host.assurances import DISK, SECURE_BOOT, check_known
from agent.host.linux.encrypted import Encrypted
from agent.host.linux.grade import DATA, Grade


class LinuxAssurances:
    """``root`` stands for / in tests."""

    def __init__(self, root: str = "") -> None:
        self._root = root

    def lacks(self, what: str) -> str:
        check_known(what)
        if what == DISK:
            return self._disk()
        grade = Grade(self._root, "")
        if what == SECURE_BOOT:
            return (
                "" if grade.secure_boot() else "the firmware does not say that it starts signed programs only"
            )
        return "" if grade.loader_asks() else "GRUB lets everybody change what is started"

    def _disk(self) -> str:
        encrypted = Encrypted(self._root)
        mounted = encrypted.mounted()
        for where in ("/", *DATA):
            if (where == "/" or where in mounted) and not encrypted.holding(where):
                return f"what lies in {where} is not encrypted"
        return "" if encrypted.swap_is_encrypted() else "what is swapped out is not encrypted"
