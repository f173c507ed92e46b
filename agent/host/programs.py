"""Programs of the machine: who may start one, and that it stays so when its package is upgraded.

Who may is a matter of the file's owner, group and mode. dpkg gives a file those of its package with each
upgrade, unless an override says otherwise: a line of `OVERRIDES`, which dpkg-statoverride(1) keeps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from agent.core.errors import BookbagError
from agent.host.packages import protected, weighty

FILE = "file"
OVERRIDES = "/var/lib/dpkg/statoverride"
#: Where packages put programs: the name alone, or in folders of their own.
PATH = (
    r"/usr/(s?bin|games)/[A-Za-z0-9][A-Za-z0-9._+-]*"
    r"|(/usr/(lib|libexec)|/opt)(/[A-Za-z0-9][A-Za-z0-9._+-]*){1,8}"
)
#: Attributes that let somebody in, or give who starts it more than they have.
GRANTING = ("security.capability", "system.posix_acl_access")
#: Beside `packages.PROTECTED` and `WEIGHTY`: without the programs of these, which people start or users of
#: the system, nobody has a desktop, can lock it, hears anything or is helped to see and type; nobody gets in
#: whose shell or home it is; and apt believes no source.
_DESKTOP = (
    *("*-greeter", "*-polkit", "*-screensaver*", "*-session", "*-session-manager", "at-spi2-core*"),
    *("brltty*", "bsd-csh", "cinnamon*", "csh", "doas", "ecryptfs-utils", "espeak*", "fcitx*", "fish"),
    *("gawk", "gettext-base", "gjs", "gnome-keyring", "gnome-settings-daemon*", "gpg-agent", "gpgconf"),
    *("gvfs*", "ibus*", "im-config", "ksh*", "kwin-*", "light-locker", "lxpolkit", "lxqt-panel"),
    *("lxsession*", "magnus", "marco", "mate-panel"),
    *("mate-settings-daemon*", "mksh", "mousetweaks", "muffin*", "onboard", "openbox", "opendoas", "orca"),
    *("pipewire*", "plasma-desktop*", "plasma-workspace*", "policykit-1-gnome", "pulseaudio*", "rtkit"),
    *("speech-dispatcher*", "sqv", "swaylock", "tcsh", "uim*", "wireplumber*", "x11-*", "xauth", "xdg-*"),
    *("xfce4-panel", "xfce4-settings", "xfconf", "xfdesktop4", "xfwm4", "xinit", "xscreensaver*", "xwayland"),
    *("zsh*",),
)
#: Names that say already that the laptop does not do without it, wherever it lies.
_NEEDED = (
    *("*-greeter", "*-locker", "*-screensaver*", "*-session", "*.so", "*.so.*", "*csh", "*polkit*", "Xorg*"),
    *("Xwayland*", "apt", "apt-*", "bash", "bookbag*", "dash", "dbus*", "doas", "dpkg*", "env", "fish"),
    *("gdm*", "gettext.sh", "gnome-session*", "gnome-shell*", "gpgconf", "ksh*", "lightdm*", "login"),
    *("mksh*", "mount", "onboard", "orca", "passwd", "pkexec", "python3*", "rbash", "sh", "sqv", "su"),
    *("sudo*", "systemctl", "systemd*", "umount", "xfce4-session*", "xscreensaver*", "zsh*"),
)


@dataclass(frozen=True, slots=True)
class Program:
    """What lies where a program should. ``kind``: `FILE`, or what it is instead, in words. Without its
    content.
    """

    kind: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755
    granting: tuple[tuple[str, bytes], ...] = ()  #: those of its attributes that are `GRANTING`, sorted
    shared: bool = False  #: whether the file has other names, too; what is found only


class Programs(Protocol):
    """Every verb takes a path as `PATH` has it, else ``bad-path``; none follows a link."""

    def find(self, path: str) -> Program | None:
        """What is there; None if nothing. Raises ``bad-path`` where others than root decide what is."""
        ...

    def dress(self, path: str, program: Program) -> None:
        """Give the file there the owner, group, mode and granting attributes of ``program``, durably; it
        stays the same file. Raises ``not-found``, and ``bad-path`` for what is no plain file.
        """
        ...

    def overrides(self, path: str) -> dict[str, str]:
        """What dpkg is told of the file, under each name that a package may know it by: "OWNER GROUP MODE",
        the mode in four digits; "": nothing.
        """
        ...

    def override(self, name: str, rule: str) -> None:
        """Tell dpkg that of one of those names. The file itself is left as it is."""
        ...

    def needed_by(self, path: str) -> str:
        """What the laptop does not do without and it is part of, as "the package passwd" or the script that
        begins people's sessions; "": nothing. Raises ``not-effective`` where that cannot be told.
        """
        ...


def check_program(path: str) -> None:
    """Raise ``bad-path`` for what is no place of a program."""
    if not re.fullmatch(PATH, path):
        raise BookbagError("bad-path", f"cannot use {path[:200]!r}: no package's program has that place")


def needed(path: str) -> bool:
    """Whether its name alone says that the laptop does not do without it."""
    parts = path.split("/")[2:] if path.startswith("/opt/") else path.split("/")[3:]
    return any(fnmatchcase(part, one) for part in parts for one in _NEEDED)


def indispensable(packages: Iterable[str]) -> str:
    """The first of them whose programs everybody can start; "": there is none."""
    of_desktop = (one for one in packages if protected(one) or weighty(one) or _of_desktop(one))
    return next(of_desktop, "")


def _of_desktop(package: str) -> bool:
    return any(fnmatchcase(package, one) for one in _DESKTOP)
