"""One account of the school's roster, as one line: what IT gives a laptop among its secrets, so that no file
that every laptop reads names a student.

The password itself is on the teacher's sheet alone. The line has its hash, made at the desk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from agent.core.errors import BookbagError
from agent.policy.bases.administration import ADMINISTRATORS, NAME, not_a_persons

MOST: Final = 16  #: accounts of one laptop
MOST_SHOWN: Final = 120  #: bytes of the name that the login screen shows; a secret has 256 in all
#: ``first``: the password of a new account; ``reset``: in place of one that was forgotten.
FIRST, RESET = "first", "reset"
#: Groups whose members are as good as root. An account brings a group of its own name: where the program that
#: such a group is for comes later, whoever has the name has the power.
MIGHTY: Final = frozenset(
    (
        *(ADMINISTRATORS, "root", "adm", "admin", "wheel", "staff", "disk", "shadow", "kmem"),
        *("docker", "podman", "lxd", "incus", "incus-admin", "libvirt", "libvirt-qemu"),
    )
)
_VERSION = "1"
_SLOT = re.compile(r"roster-([1-9][0-9]?)")
_LOGIN = re.compile(NAME.pattern)
_SHOWN = re.compile(r"[^:,=\\\"\x00-\x1f\x7f]+")
#: scrypt as crypt(5) has it, `$7$`: every character of it is harmless in shadow and for chpasswd(8).
_HASH = re.compile(r"\$7\$[./0-9A-Za-z]{11}([./0-9A-Za-z]{16})\$[./0-9A-Za-z]{43}")


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One account. ``hashed`` is that of its first password, or of the newest one that IT gave it."""

    login: str
    shown: str
    word: str = FIRST
    hashed: str = field(default="", repr=False)

    @property
    def tag(self) -> str:
        """What tells one password that IT gave from every other, and nothing of it: the salt."""
        found = _HASH.fullmatch(self.hashed)
        return found[1] if found else ""


def slot(number: int) -> str:
    """The name of a laptop's account among its secrets, from 1."""
    return f"roster-{number}"


def is_slot(name: str) -> bool:
    """Whether a secret of that name is an account."""
    found = _SLOT.fullmatch(name)
    return found is not None and int(found[1]) <= MOST


def wrong_login(login: str) -> str:
    """Why ``login`` cannot be a student's; "" if it can, as far as its name tells."""
    if len(login) > NAME.most or not _LOGIN.fullmatch(login):
        return f"it must be {NAME.describe()}, of at most {NAME.most} characters"
    if login in MIGHTY:
        return "a group of that name is as good as root"
    return not_a_persons(login)


def wrong_shown(shown: str) -> str:
    """Why ``shown`` cannot be what the login screen shows; "" if it can."""
    if not _SHOWN.fullmatch(shown) or not shown.isprintable() or shown != shown.strip():
        return "it must be a name, without : , = and quotes"
    if len(shown.encode("utf-8", "surrogatepass")) > MOST_SHOWN:
        return f"it has more than {MOST_SHOWN} bytes"
    return ""


def write(line: RosterLine) -> str:
    """As it travels."""
    return ":".join((_VERSION, line.word, line.login, line.hashed, line.shown))


def read(text: str) -> RosterLine:
    """The same again. Raises ``bad-argument``, ``format-too-new``, telling nothing of what is in it."""
    version, _, rest = text.partition(":")
    if version != _VERSION and version.isascii() and version.isdigit():
        raise BookbagError("format-too-new", "cannot read an account of the roster", remedy="update Bookbag")
    fields = rest.split(":")
    if version != _VERSION or len(fields) != 4:
        raise _bad("it is no line of the roster")
    line = RosterLine(fields[1], fields[3], fields[0], fields[2])
    if line.word not in (FIRST, RESET) or not line.tag:
        raise _bad("it is no line of the roster")
    if wrong_login(line.login) or wrong_shown(line.shown):
        raise _bad("its name can be no student's")
    return line


def _bad(why: str) -> BookbagError:
    return BookbagError("bad-argument", f"cannot use an account of the roster: {why}")
