"""The sessions and processes of people on a real machine, and their end.

People are the uids that Debian gives to persons, systemd-homed's, and whatever a directory service knows by
name beyond; never the system's own, nor those of its containers. A process is a person's too if its uid is
one of those that root lent them (`agent.host.linux.subuids`), or is nobody's and it runs where only people
begin such things: in a user's slice, or among the jobs of cron and at, which no session holds together.
"""

from __future__ import annotations

import os
import pwd
import re
import select
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress

from agent.core.errors import BookbagError
from agent.host.linux import subuids
from agent.host.linux.units import LinuxUnits
from agent.host.processes import run
from agent.host.uids import FIRST_PERSON, LAST_PERSON

HOMED = range(60001, 60514)
FIRST_OF_A_DIRECTORY = 65536
SUBUID = "/etc/subuid"
_SLICE = re.compile(r"/user\.slice/user-([0-9]{1,10})\.slice(?:/|$)")
_JOBS = re.compile(r"/system\.slice/(?:cron|crond|atd)\.service(?:/|$)")
ROUNDS = 50  #: against what forks as fast as it is ended
ROUND_SECONDS = 2.0
SECONDS = 30.0


class LinuxPeople:
    """People, as /proc and logind know them."""

    def __init__(self, units: LinuxUnits, proc: str = "/proc", subuid: str = SUBUID) -> None:
        self._units = units
        self._proc = proc
        self._subuid = subuid

    def among(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(name for name in names if is_person(_uid(name))))

    def present(self) -> tuple[str, ...]:
        uids = {uid for _, uid in self._processes()} | set(self._sessions().values())
        return tuple(sorted(_name(uid) for uid in uids))

    def end(self) -> None:
        sessions = self._sessions()
        if sessions:
            run(("loginctl", "--no-pager", "terminate-session", *sessions), timeout=SECONDS)
        uids = sorted({*sessions.values(), *(uid for _, uid in self._processes())})
        managers = [f"user@{uid}.service" for uid in uids]
        self._units.stop(managers)
        self._units.kill([f"user-{uid}.slice" for uid in uids])
        for _ in range(ROUNDS):
            if not self._kill_all():
                break
        if left := self.present():
            raise BookbagError("not-effective", f"cannot end every process of {', '.join(left)[:200]}")

    def welcome(self, users: Iterable[str]) -> None:
        self._units.start([f"user@{_uid(user)}.service" for user in users if is_person(_uid(user))])

    # -- what is there

    def _sessions(self) -> dict[str, int]:
        """Session of logind → uid, of people."""
        ended = run(("loginctl", "--no-pager", "--no-legend", "list-sessions"), timeout=SECONDS)
        fields = [line.split() for line in ended.text.splitlines()]
        found = {one[0]: int(one[1]) for one in fields if len(one) > 1 and one[1].isdigit()}
        return {session: uid for session, uid in found.items() if is_person(uid)}

    def _processes(self) -> Iterator[tuple[int, int]]:
        """(pid, uid of the person) of each process that acts, or could act, for a person."""
        lent = subuids.read(self._subuid)
        for name in os.listdir(self._proc):
            if name.isdigit():
                uid = self._person_of(int(name), lent)
                if uid is not None:
                    yield int(name), uid

    def _person_of(self, pid: int, lent: tuple[subuids.Range, ...]) -> int | None:
        try:
            with open(f"{self._proc}/{pid}/status", encoding="utf-8", errors="replace") as file:
                lines = dict(line.split(":", 1) for line in file if ":" in line)
        except OSError:
            return None  # it has ended
        if lines.get("State", "").strip()[:1] in ("Z", "X"):
            return None
        uids = [int(uid) for uid in lines.get("Uid", "").split()]  # real, effective, saved, of files
        own = next((uid for uid in uids if is_person(uid)), None)
        if own is not None:
            return own
        nameless = sorted({uid for uid in uids if uid >= FIRST_OF_A_DIRECTORY})
        return next((who for uid in nameless if (who := self._behind(uid, pid, lent)) is not None), None)

    def _behind(self, uid: int, pid: int, lent: tuple[subuids.Range, ...]) -> int | None:
        """The person that a process under a uid without a name acts for; None: it is the system's."""
        lenders = [_uid(one.user) for one in lent if uid in one.uids]
        for lender in lenders:
            if is_person(lender):
                return lender
        place = self._place(pid)
        if (user := _SLICE.match(place)) and int(user[1]) >= FIRST_PERSON:
            return int(user[1])
        is_system = any(0 <= lender < FIRST_PERSON for lender in lenders)
        return uid if _JOBS.match(place) and not is_system else None

    def _place(self, pid: int) -> str:
        """Its cgroup, out of whose service or slice it can lead no process itself; "": it has ended."""
        try:
            with open(f"{self._proc}/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
                return next((line[3:].rstrip("\n") for line in file if line.startswith("0::")), "")
        except OSError:
            return ""

    # -- its end

    def _kill_all(self) -> bool:
        """Kill every process of people that is there now, and wait for its end; False if there was none.

        All are stopped first: what does not run cannot start another. A process is held by descriptor before
        it is looked at, so that its number cannot have become another's.
        """
        lent = subuids.read(self._subuid)
        with ExitStack() as held:
            found = []
            for pid, _ in list(self._processes()):
                with suppress(OSError):
                    fd = os.pidfd_open(pid)
                    held.callback(os.close, fd)
                    if self._person_of(pid, lent) is not None:
                        found.append(fd)
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for fd in found:
                    with suppress(OSError):
                        signal.pidfd_send_signal(fd, number)
            _await(found, time.monotonic() + ROUND_SECONDS)
        return bool(found)


def is_person(uid: int) -> bool:
    """Whether ``uid`` is a person's, not the system's or a container's."""
    if FIRST_PERSON <= uid <= LAST_PERSON or uid in HOMED:
        return True
    return uid >= FIRST_OF_A_DIRECTORY and _name(uid) != str(uid)


def _await(pidfds: list[int], until: float) -> None:
    """Wait until all those processes have ended, or it is too late."""
    waiting = set(pidfds)
    while waiting and (left := until - time.monotonic()) > 0:
        waiting -= set(select.select(list(waiting), [], [], left)[0])


def _uid(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return int(name) if name.isascii() and name.isdigit() else -1


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)
