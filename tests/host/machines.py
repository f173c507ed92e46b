"""Machines that exist only as trees of files: what sysfs, /proc, /etc and firmware show of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ROOT_UUID = "11111111-2222-4333-8444-555555555555"
HOME_UUID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
MIB = 2048  #: sectors


class Tree:
    """A machine below ``root``; each method adds something to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._minor = 0

    def __str__(self) -> str:
        return str(self.root)

    def put(self, path: str, text: str | bytes = "", mode: int = 0o644) -> None:
        """A file."""
        real = self.root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(text.encode() if isinstance(text, str) else text)
        real.chmod(mode)

    def link(self, path: str, target: str) -> None:
        """A symlink."""
        real = self.root / path.lstrip("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.symlink_to(target)

    def device(
        self,
        name: str,
        *,
        below: Sequence[str] = (),
        uuid: str = "",
        size: int = 500 * MIB,
        bus: str = "pci0000:00/0000:00:1d.0",
        removable: bool = False,
        disk: str = "",
    ) -> str:
        """A block device in sysfs; ``disk`` names the one that it is a partition of. Returns major:minor."""
        self._minor += 1
        number = f"8:{self._minor}"
        place = "virtual/block" if below or name.startswith("dm") else f"{bus}/block"
        place += f"/{disk}" if disk else ""
        self.put(f"/sys/devices/{place}/{name}/size", f"{size}\n")
        if not disk:
            self.put(f"/sys/devices/{place}/{name}/removable", f"{int(removable)}\n")
        if uuid:
            self.put(f"/sys/devices/{place}/{name}/dm/uuid", uuid)
        for slave in below:
            self.link(f"/sys/devices/{place}/{name}/slaves/{slave}", f"/sys/class/block/{slave}")
        self.link(f"/sys/class/block/{name}", str(self.root / f"sys/devices/{place}/{name}"))
        self.link(f"/sys/dev/block/{number}", str(self.root / f"sys/devices/{place}/{name}"))
        self.put(f"/dev/{name}")
        return number

    def luks(self, name: str, carrier: str, uuid: str, version: int = 2, size: int = 84 * MIB) -> str:
        """A LUKS volume that is open."""
        mapped = f"CRYPT-LUKS{version}-{uuid.replace('-', '')}-{name}"
        return self.device(name, below=[carrier], uuid=mapped, size=size)

    def mounts(self, *where: tuple[str, str]) -> None:
        """What is mounted: (major:minor, mount point)."""
        lines = [f"{at + 20} 1 {number} / {point} rw - ext4 x rw" for at, (number, point) in enumerate(where)]
        self.put("/proc/self/mountinfo", "\n".join(lines) + "\n")

    def swaps(self, *rows: tuple[str, str]) -> None:
        """What is swapped to: (path, partition or file)."""
        lines = ["Filename Type Size Used Priority", *(f"{path} {kind} 1 0 -2" for path, kind in rows)]
        self.put("/proc/swaps", "\n".join(lines) + "\n")


def encrypted_laptop(root: Path) -> Tree:
    """One disk: a plain /boot, LUKS with LVM in it for / and swap, a second LUKS for /home; a student's
    stick.
    """
    tree = Tree(root)
    tree.device("nvme0n1")
    boot = tree.device("nvme0n1p1", disk="nvme0n1")
    tree.device("nvme0n1p2", disk="nvme0n1", size=100 * MIB)
    tree.device("nvme0n1p3", disk="nvme0n1", size=300 * MIB)
    tree.luks("dm-0", "nvme0n1p2", ROOT_UUID, size=84 * MIB)
    top = tree.device("dm-1", below=["dm-0"], uuid="LVM-xyz")
    tree.device("dm-2", below=["dm-0"], uuid="LVM-swap")
    home = tree.luks("dm-3", "nvme0n1p3", HOME_UUID, version=1, size=298 * MIB)
    tree.device("sda", bus="pci0000:00/usb1/1-1/host0", removable=True)
    tree.device("sda1", bus="pci0000:00/usb1/1-1/host0", disk="sda")
    stick = tree.luks("dm-4", "sda1", "99999999-9999-4999-8999-999999999999")
    mounted = ((top, "/"), (boot, "/boot"), (home, "/home"), (stick, "/media/a\\040stick"), ("0:22", "/proc"))
    tree.mounts(*mounted)
    tree.swaps(("/dev/dm-2", "partition"))
    return tree


GATE = """\
account\t[success=1 default=ignore]\tpam_succeed_if.so quiet uid < 1000
account\t[success=ignore default=die]\tpam_access.so accessfile=/etc/security/bookbag-login.conf
"""
#: As pam-auth-update of Debian 12 writes it with our profile.
COMMON_ACCOUNT = f"""\
# here are the per-package modules (the "Primary" block)
{GATE}account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so
# here's the fallback if no module succeeds
account\trequisite\t\t\tpam_deny.so
account\trequired\t\t\tpam_permit.so
# end of pam-auth-update config
"""
SERVICES = {
    "cron": "@include common-auth\nsession required pam_loginuid.so\n@include common-account\n",
    "login": "auth requisite pam_nologin.so\n@include common-auth\n@include common-account\n",
    "passwd": "@include common-password\n",
    "runuser": "auth sufficient pam_rootok.so\nsession required pam_unix.so\n",
    "sshd": "@include common-auth\naccount    required     pam_nologin.so\n@include common-account\n",
    "su": "auth sufficient pam_rootok.so\n@include common-auth\n@include common-account\n",
    "su-l": "#%PAM-1.0\nauth\t\tinclude\t\tsu\naccount\t\tinclude\t\tsu\n",
    "sudo": "@include common-auth\n@include common-account\n@include common-session-noninteractive\n",
}


def debian_pam(root: Path) -> None:
    """PAM's files as Debian 12 has them."""
    tree = Tree(root)
    tree.put("/etc/pam.d/common-account", COMMON_ACCOUNT)
    for name, text in SERVICES.items():
        tree.put(f"/etc/pam.d/{name}", text)
    tree.put("/usr/lib/pam.d/systemd-user", "@include common-account\n")
