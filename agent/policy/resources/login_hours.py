"""login-hours: when people may log in, as PAM asks. Administrators always may."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Final

from agent.host.base import Host
from agent.policy.bases.dropin import DropIn

#: Read by a rule of our own in PAM's shared account stage (installer/pam-configs), behind the login gate.
PATH: Final = "/etc/security/bookbag-hours.conf"
STAGE: Final = "/etc/pam.d/common-account"
RISK: Final = "it keeps people out of the laptop"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HEAD = "# Bookbag: when people may log in, as time.conf(5) has it. Administrators always may.\n"
_RANGE = re.compile(r"(?P<days>\S+) (?P<from>\d\d):(?P<to>\d\d)-(?P<until>\d\d):(?P<end>\d\d)")


@dataclass(frozen=True, slots=True)
class LoginHours(DropIn):
    """One file of pam_time. ``hours``: such as ``mon-fri 07:30-16:00``."""

    kind: ClassVar[str] = "login-hours"
    sole: ClassVar[str] = "pam"
    about: ClassVar[str] = "When people may log in."
    risk: ClassVar[str] = RISK

    hours: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return PATH

    def watches(self) -> tuple[str, ...]:
        return (STAGE,)

    def text(self) -> str:
        times = "|".join(map(spelled, self.hours))
        return f"{_HEAD}*;*;*;{times}\n"

    def problem(self, host: Host) -> str:
        node = host.files.read(STAGE, limit=1 << 16)
        text = "" if node is None or node.kind != "file" else node.content.decode("utf-8", "replace")
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            if "pam_time.so" in words and f"conffile={PATH}" in words:
                return ""
        return f"{STAGE} does not ask for it: run the installer again, or pam-auth-update"


def spelled(hours: str) -> str:
    """As pam_time writes it: ``mon-fri 07:30-16:00`` → ``MoTuWeThFr0730-1600``."""
    found = _RANGE.fullmatch(hours)
    assert found is not None, hours  # noqa: S101  # its type has read it
    names = "".join(DAYS[day][:2].capitalize() for day in days(found["days"]))
    return f"{names}{found['from']}{found['to']}-{found['until']}{found['end']}"


def minutes(hours: str) -> range:
    """(from, until) of a day, in minutes."""
    found = _RANGE.fullmatch(hours)
    assert found is not None, hours  # noqa: S101
    return range(int(found["from"]) * 60 + int(found["to"]), int(found["until"]) * 60 + int(found["end"]))


def days(text: str) -> list[int]:
    """Numbers of the days in ``mon-wed,sat``; of a range that runs over the week's end, too."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found.update(day % 7 for day in range(begin, end + 1 if end >= begin else end + 8))
    return sorted(found)
