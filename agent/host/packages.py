"""Packages of the distribution's package manager: how each stands, and somebody who has it otherwise, soon.

Nothing here waits for a download or an installation: `ask` only says that there is something to do, and
whoever does it (`carry_out`, in a unit of its own) may take hours. Until then `told` says how it goes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from agent.core.errors import BookbagError

#: As Debian has them; no architecture, no version.
#: One sign at the end would be a word to apt itself: ``hello-`` is "remove it", ``hello+`` "install it".
NAME = r"[a-z0-9][a-z0-9+.-]{0,98}([a-z0-9]|\+\+)"
YES, NO, HALF = "yes", "no", "half"
AUTO, MANUAL = "auto", "manual"
#: Without these nobody gets in, nothing can be installed or withdrawn, or Bookbag itself does not run: no
#: policy removes them, and nothing that would take them along. Beside what the distribution itself marks as
#: essential, protected or required.
PROTECTED = (
    *("adduser", "apt", "apt-*", "base-files", "base-passwd", "bash", "bookbag*", "ca-certificates"),
    *("coreutils", "cron", "cryptsetup*", "dash", "dbus*", "debconf*", "debian-archive-keyring"),
    *("debianutils", "diffutils", "dpkg*", "e2fsprogs", "findutils", "gpgv", "grep", "gzip", "hostname"),
    *("init", "init-system-helpers", "initramfs-tools*", "libc-bin", "libc6", "libgcc-s1", "libpam*"),
    *("libsystemd*", "login", "mount", "ncurses-*", "nftables", "openssl", "passwd", "perl-base"),
    *("policykit-1", "polkitd", "python3", "python3-minimal", "python3-venv", "python3.*", "sed"),
    *("systemd", "systemd-*", "sysvinit-utils", "tar", "ubuntu-keyring", "udev", "util-linux"),
)
#: Without these it may not start, show anything, or reach the school.
WEIGHTY = (
    *("*-firmware", "*-microcode", "firmware-*", "gdm3", "grub*", "ifupdown", "iproute2", "isc-dhcp-client"),
    *("iwd", "libnss-*", "lightdm", "linux-image*", "linux-modules*", "lxdm", "network-manager*"),
    *("openssh-server", "sddm", "shim*", "sudo", "unattended-upgrades", "wpasupplicant", "xserver-xorg*"),
    *("gnome-shell", "gnome-session*", "xfce4-session", "mutter*", "dconf*", "libglib2.0*"),
    *("btrfs-progs", "busybox*", "connman", "console-setup*", "dhcpcd*", "dmsetup", "dracut*", "kmod"),
    *("keyboard-configuration", "lvm2", "mdadm", "netbase", "netplan*", "procps", "zfs*"),
    *("sssd*", "libsss*", "winbind", "nslcd", "krb5-user"),  # by which people of a directory log in
)


@dataclass(frozen=True, slots=True)
class Package:
    """How one package stands. ``mark``: whether a person wanted it (`MANUAL`) or it came along (`AUTO`);
    "" of one that is not installed.
    """

    installed: str = NO  #: `YES`, `NO`, or `HALF`: begun, and not ended
    held: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """How one should stand. ``foreign``: whether it may come from a source that is not the distribution's."""

    installed: bool
    held: bool
    mark: str = ""
    foreign: bool = False
    #: What may not come along with it: nobody is to have that here.
    shuns: frozenset[str] = frozenset()
    #: What gives way to it, unless a person wanted it for themselves since.
    over: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """One word, the same for the same wish."""
        there = "foreign" if self.installed and self.foreign else YES if self.installed else NO
        return f"{there}-held" if self.held else there


@dataclass(frozen=True, slots=True)
class Told:
    """How it goes with a package that is not as wished. ``code``: of an error; "": it only takes time."""

    code: str
    text: str


class Packages(Protocol):
    """The package manager. Every verb raises ``bad-path`` for what is no name of a package."""

    def find(self, name: str) -> Package:
        """How it stands."""
        ...

    def needed_by(self, name: str) -> tuple[str, ...]:
        """What could not stay installed without it, and is not there for policy's sake alone, sorted."""
        ...

    def ask(self, name: str, wish: Wish) -> None:
        """Say that this is wished, to whoever carries it out. Raises ``not-effective`` where nobody does."""
        ...

    def told(self, name: str, wish: Wish) -> Told:
        """How it goes with what was asked for so."""
        ...

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        """Have it so, as far as it can be now. Never asks anybody anything; what fails for one package is
        told of that one, and the others go on. ``not_now``: why nothing may be installed or removed at the
        moment; "": it may.
        """
        ...


def check_package(name: str) -> None:
    """Raise ``bad-path`` for what is no name of a package."""
    if not re.fullmatch(NAME, name):
        raise BookbagError("bad-path", f"cannot use {name[:60]!r}: that is no name of a package")


def protected(name: str) -> bool:
    """Whether no policy removes it."""
    return any(fnmatchcase(name, one) for one in PROTECTED)


def weighty(name: str) -> bool:
    """Whether removing it takes two persons."""
    return any(fnmatchcase(name, one) for one in WEIGHTY)
