"""What dpkg and apt know of the packages of a real machine. Asks; changes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.host.packages import AUTO, HALF, MANUAL, NO, YES, Package
from agent.host.processes import run

QUERY = "/usr/bin/dpkg-query"
STATUS, UPDATES = "/var/lib/dpkg/status", "/var/lib/dpkg/updates"
MARKS = "/var/lib/apt/extended_states"
INFO = "/var/lib/dpkg/info"
SECONDS = 60.0
_FORMAT = "\\t".join(
    ("${Package}", "${Architecture}", "${db:Status-Abbrev}", "${Essential}", "${Protected}", "${Priority}")
)
_MOST = 32 << 20
#: What debhelper writes into scripts: services, alternatives, answers to questions; nobody's work.
_MADE = re.compile(
    r"^# Automatically added by dh.*?^# End automatically added section$", re.MULTILINE | re.DOTALL
)
_STATES = {**dict.fromkeys("iWt", YES), **dict.fromkeys("nc", NO)}


@dataclass(frozen=True, slots=True)
class Known:
    """One package that dpkg knows."""

    package: Package
    vital: bool  #: the distribution says that the machine does not do without it
    configured: bool  #: it is gone, but its configuration is there


class Dpkg:
    """Read once, and again when something changed."""

    def __init__(self) -> None:
        self._seen: object = None
        self._known: Mapping[str, Known] = {}

    def all(self) -> Mapping[str, Known]:
        """Every package, by name; of several architectures the machine's own."""
        seen = (_stamp(STATUS), _stamp(MARKS), tuple(sorted(os.listdir(UPDATES))))
        if seen != self._seen:
            self._known, self._seen = _read(), seen
        return self._known

    def find(self, name: str) -> Known:
        """One of them."""
        return self.all().get(name, Known(Package(), vital=False, configured=False))

    def installed(self) -> frozenset[str]:
        """The names of all that are installed, or half."""
        return frozenset(name for name, one in self.all().items() if one.package.installed != NO)

    def interrupted(self) -> bool:
        """Whether something was begun and not ended."""
        half = any(one.package.installed == HALF for one in self.all().values())
        return half or bool(os.listdir(UPDATES))


def clears_up(name: str, info: str = INFO) -> bool:
    """Whether a script of its own has something to do when its configuration goes: then databases may go with
    it, and what else people made.
    """
    owners = (name, f"{name}.postrm")
    scripts = [one for one in os.listdir(info) if one.endswith(".postrm") and one.partition(":")[0] in owners]
    return any("purge" in _MADE.sub("", _text(f"{info}/{script}")) for script in scripts)


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(_MOST)


def _read() -> Mapping[str, Known]:
    ended = run((QUERY, "-W", f"-f={_FORMAT}\\n", "*"), timeout=SECONDS, max_output=_MOST)
    if ended.status != 0:
        raise BookbagError("not-effective", f"cannot ask dpkg: {ended.complaint}")
    rows = [line.split("\t") for line in ended.text.splitlines() if line.count("\t") == 5]
    native = next((row[1] for row in rows if row[0] == "dpkg"), "")
    marked = _came_along()
    known: dict[str, Known] = {}
    for name, architecture, status, essential, protected, priority in rows:
        if name not in known or architecture in (native, "all"):
            state = _STATES.get(status[1:2], HALF)
            mark = "" if state == NO else AUTO if name in marked else MANUAL
            known[name] = Known(
                Package(state, status[:1] == "h", mark),
                vital="yes" in (essential, protected) or priority == "required",
                configured=status[1:2] == "c",
            )
    return known


def _came_along() -> frozenset[str]:
    """What apt has noted to be there for others only."""
    try:
        with open(MARKS, encoding="utf-8", errors="replace") as file:
            stanzas = file.read(_MOST).split("\n\n")
    except FileNotFoundError:
        return frozenset()
    fields = (dict(line.split(": ", 1) for line in one.splitlines() if ": " in line) for one in stanzas)
    return frozenset(
        one["Package"] for one in fields if one.get("Auto-Installed") == "1" and "Package" in one
    )


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return (0, 0, 0)
    return found.st_ino, found.st_size, found.st_mtime_ns
