"""apt-get of a real machine: what it would do, what that takes, and having it done, from files that are
there. It never asks, never fetches, and never leaves a file of configuration that somebody changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from agent.core.errors import BookbagError
from agent.host.apt import alone
from agent.host.processes import Ended, run

APT, DPKG, MARK = "/usr/bin/apt-get", "/usr/bin/dpkg", "/usr/bin/apt-mark"
ASKING = 120.0  #: seconds for what only looks
DOING = 1800.0  #: seconds for what changes something; dpkg takes it up again if it was cut off
_MOST = 16 << 20
_SILENT: Final = {
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "APT_LISTCHANGES_FRONTEND": "none",
    "APT_LISTBUGS_FRONTEND": "none",
    "NEEDRESTART_SUSPEND": "1",
    "UCF_FORCE_CONFFOLD": "1",
}
_KEEP = ("--force-confdef", "--force-confold")
_OPTIONS: Final = (
    *("-q", "-y", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=0", "-o", "APT::Color=0"),
    *("-o", "Acquire::ForceHash=SHA256", "-o", "APT::Get::AllowUnauthenticated=false"),
    *(word for one in _KEEP for word in ("-o", f"Dpkg::Options::={one}")),
)
_INSTALLS = re.compile(r"^Inst (\S+)(?: \[[^\]\n]*\])? \(\S+ (.*?)(?: ?\[[^\]\n]*\])?\)", re.MULTILINE)
_INST = re.compile(r"^Inst ", re.MULTILINE)
_REMOVES = re.compile(r"^(?:Remv|Purg) (\S+)", re.MULTILINE)
_TARGET = "$(REPO_URI)|$(BASE_URI)|$(SOURCESENTRY)|$(LABEL)"
_LIST = re.compile(r"^([^|\n]+)\|([^|\n]+)\|([^|\n]*?)(?::[0-9]*)?\|([^|\n]*)$", re.MULTILINE)
_CREDENTIALS = re.compile(r"(?<=://)[^\s/@]*@")
_FILE = re.compile(r"^'([!-~]{1,2000})' (\S{1,300}) ([0-9]{1,12}) SHA256:([0-9a-f]{64})$", re.MULTILINE)
_LINES = re.compile(r"^'", re.MULTILINE)
_BUSY = re.compile(
    r"Could not get lock|Unable to acquire the dpkg|Unable to lock|(?:is|was) locked by another process"
)
_UNKNOWN = re.compile(r"Unable to locate package|has no installation candidate|is not available, but is")


class Later(Exception):  # nothing went wrong
    """It cannot be done at the moment, and nobody is at fault."""


class Unknown(Exception):
    """No source that was looked at has it."""


@dataclass(frozen=True, slots=True)
class File:
    """One package's file, as the signed lists have it."""

    uri: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Course:
    """What apt would do. ``installs``: name → who offers it, as the sources' own labels say; the name of
    what is of another architecture than the machine's has that behind a colon.
    """

    installs: dict[str, tuple[str, ...]]
    removes: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """What is installed, whatever its architecture."""
        return frozenset(name.partition(":")[0] for name in self.installs)


class AptGet:
    """``archives``: the folder of packages' files that it may install from."""

    def __init__(self, archives: str) -> None:
        self._archives = ("-o", f"Dir::Cache::archives={archives}/")

    def course(self, verb: str, *names: str) -> Course:
        """What `install` or `remove` of these would come to. Raises `Unknown`."""
        return course_of(self._run(verb, "-s", *_ends(names)).text)

    def files(self, name: str) -> tuple[File, ...]:
        """The files that installing it takes and that are not in the archives."""
        text = self._run("install", "--print-uris", *_ends((name,))).text
        found = tuple(File(uri, file, int(size), sha) for uri, file, size, sha in _FILE.findall(text))
        if len(found) != len(_LINES.findall(text)):
            raise BookbagError("bad-content", f"cannot install {name}: its source gives no SHA-256 of a file")
        return found

    def lists(self) -> tuple[tuple[str, str, str, str], ...]:
        """As `lists_of`."""
        return lists_of(self._run("indextargets", "--format", _TARGET, "Created-By: Packages").text)

    def install(self, name: str, *, auto: bool) -> None:
        """From the archives, removing nothing. ``auto``: it counts as come along."""
        marked = ("--mark-auto",) if auto else ()
        self._run("install", "--no-download", "--no-remove", *marked, *_ends((name,)), timeout=DOING)

    def remove(self, *names: str) -> None:
        """Their configuration stays; nothing comes in their place."""
        self._run("remove", "--no-download", *_ends(names), timeout=DOING)

    def forget(self, *names: str) -> None:
        """The configuration of what was removed."""
        checked(run((DPKG, "--purge", *_ends(names)), timeout=DOING, environment=_SILENT, max_output=_MOST))

    def orphans(self, kept: Iterable[str]) -> frozenset[str]:
        """What came along with others that are gone; ``kept`` count as wanted."""
        wanted = (f"APT::NeverAutoRemove::={alone(one)}" for one in sorted(kept))
        options = (word for one in wanted for word in ("-o", one))
        return _names(_REMOVES, self._run("autoremove", "-s", *options).text)

    def mark(self, word: str, name: str) -> None:
        """``hold``, ``unhold``, ``auto`` or ``manual``."""
        checked(run((MARK, word, name), timeout=ASKING, environment=_SILENT))

    def finish(self) -> None:
        """What was begun and cut off."""
        checked(
            run((DPKG, *_KEEP, "--configure", "-a"), timeout=DOING, environment=_SILENT, max_output=_MOST)
        )

    def _run(self, verb: str, *words: str, timeout: float = ASKING) -> Ended:
        command = (APT, *_OPTIONS, *self._archives, verb, *words)
        return checked(run(command, timeout=timeout, environment=_SILENT, max_output=_MOST))


def checked(ended: Ended) -> Ended:
    """What went well. Raises `Later`, `Unknown` or ``not-effective``."""
    if ended.status == 0:
        return ended
    errors = ended.errors.decode("utf-8", errors="replace")
    if _BUSY.search(errors):
        raise Later("another program installs or removes something; it comes after that")
    if _UNKNOWN.search(errors):
        raise Unknown
    # apt's first error says why, the last line is general.
    said = next((line for line in errors.splitlines() if line.startswith(("E: ", "dpkg: error"))), "")
    text = " ".join((said or ended.text[-2000:]).split())[-300:] or ended.complaint
    raise BookbagError("not-effective", f"cannot do it: {bare(text.removeprefix('E: '))}")


def lists_of(text: str) -> tuple[tuple[str, str, str, str], ...]:
    """The lists of packages that are there: (address of the source, that of the release, label, the file that
    names the source).
    """
    found = _LIST.findall(text)
    return tuple((base, f"{release}InRelease", label, file) for base, release, file, label in found)


def bare(text: str) -> str:
    """``text`` without what addresses in it have of users and passwords."""
    return _CREDENTIALS.sub("", text)


def course_of(text: str) -> Course:
    """What apt says that it would do. Raises ``bad-content`` where who offers something cannot be told."""
    offers = _INSTALLS.findall(text)
    if len(offers) != len(_INST.findall(text)):
        raise BookbagError("bad-content", "cannot install: apt does not tell where all of it comes from")
    installs = {name: tuple(map(_label, offered.split(","))) for name, offered in offers}
    return Course(installs, _names(_REMOVES, text))


def _label(offered: str) -> str:
    """What a source calls itself; "" of one that does not: its suite or its host stands there then."""
    label, colon, _ = offered.strip().partition(":")
    return label if colon else ""


def _names(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(name.partition(":")[0] for name in pattern.findall(text))


def _ends(names: Sequence[str]) -> tuple[str, ...]:
    """``names`` as apt-get and dpkg take them for nothing else."""
    return ("--", *names)
