"""Carries out what is wished of packages, one after the other, from files that are there; says what has to be
fetched, and by which unit, for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from agent.core.errors import BookbagError
from agent.host.linux.apt import LinuxApt
from agent.host.linux.apt_get import AptGet, Course, File, Later, Unknown
from agent.host.linux.dpkg import Dpkg, clears_up
from agent.host.linux.package_files import PackageFiles
from agent.host.linux.package_leaving import along_with, refusal, some
from agent.host.linux.package_notes import Came, PackageNotes
from agent.host.linux.package_sources import (
    Target,
    files_of_the_distribution,
    fingerprint,
    from_the_distribution,
    unread,
)
from agent.host.packages import AUTO, MANUAL, YES, Told, Wish, check_package

LISTS, FETCH = "bookbag-packages-lists.service", "bookbag-packages-fetch.service"
#: Seconds until the same is begun again: what did not go, how long what the sources have stays news, how long
#: lists that did not help, and what failed.
AGAIN, DAY, HOUR, PATIENCE = 300, 24 * 3600, 3600, 1800
#: No package: what came along with some that are gone, and was needed by others then.
LOOSE = ""
_LOOKS = "the laptop looks which packages its sources have"
_UNSEEN = "no source of this laptop could be reached yet"


class PackageWork:
    """``start`` begins a unit and does not wait for it; ``looked``: whether the last look at the sources that
    began since the machine started went well; ``clock`` gives (boot, seconds since it).
    """

    def __init__(
        self,
        place: str,
        start: Callable[[str], None],
        looked: Callable[[], bool],
        clock: Callable[[], tuple[str, int]],
    ) -> None:
        self._files = PackageFiles(place)
        self._notes = PackageNotes(place)
        self._dpkg = Dpkg()
        self._apt = AptGet(self._files.archives)
        self._start = start
        self._looked = looked
        self._boot, self._now = clock()
        self._sources = fingerprint()
        #: Package → its files, of all that is not installed yet, those that came already too.
        self._awaited: dict[str, tuple[File, ...]] = {}
        self._there: tuple[Target, ...] | None = None
        self._missing = False
        self._unknown = False

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        """See `Packages`."""
        told: dict[str, Told] = {}
        self._files.begin()
        if (problem := self._settled(not_now)) is not None:
            self._notes.tell(dict.fromkeys(wishes, problem), wishes)
            return
        leaving = frozenset(name for name, wish in wishes.items() if not wish.installed)
        # What is foreign comes last: what it brings along is judged by nobody.
        for name, wish in sorted(wishes.items(), key=lambda one: (one[1].installed, one[1].foreign)):
            if (one := self._tried(name, wish, leaving, not_now)) is not None:
                told[name] = one
        self._files.begin()  # whatever is in there was copied, or is installed
        if not any(one.code for one in told.values()):  # what failed is tried again, from what is there
            self._files.sweep({one.name for files in self._awaited.values() for one in files})
        try:
            told |= self._ask_for_more()
        except BookbagError as error:
            told |= {name: Told(error.code, error.message) for name, one in told.items() if not one.code}
        self._notes.tell(told, wishes)

    def _settled(self, not_now: str) -> Told | None:
        """What was cut off is ended first, whoever began it; why that cannot be."""
        if not self._dpkg.interrupted():
            return None
        if not_now:
            return Told("", not_now)
        try:
            self._apt.finish()
        except Later as reason:
            return Told("", str(reason))
        except BookbagError as error:
            return Told(error.code, f"{error.message}; run dpkg --configure -a by hand")
        return None

    def _tried(self, name: str, wish: Wish, leaving: frozenset[str], not_now: str) -> Told | None:
        """What to tell of it; None: it is as wished."""
        check_package(name)
        # Whether something may go depends on what else goes, and what gives way to it.
        beside = " ".join(sorted({*wish.shuns, *wish.over, *(() if wish.installed else leaving)}))
        spelled = f"{wish} {self._sources} {beside}"[:1000]
        since = self._notes.since(f"failed {name}", self._boot, self._now)
        before = self._notes.failed(name, spelled)
        if before is not None and since is not None and since < PATIENCE:
            return before
        try:
            self._one(name, wish, leaving, not_now)
        except Later as reason:
            return Told("", str(reason))
        except Unknown:
            return self._not_found(name, spelled)
        except BookbagError as error:
            return self._failed(name, spelled, Told(error.code, error.message))
        self._notes.fail(name, spelled, None)
        return None

    def _failed(self, name: str, wish: str, told: Told) -> Told:
        self._notes.fail(name, wish, told)
        self._notes.began(f"failed {name}", self._boot, self._now)
        return told

    def _not_found(self, name: str, wish: str) -> Told:
        """The lists may be older than the package."""
        since = self._since_look()
        if since is None or since > HOUR:
            self._unknown = True
            return Told("", _LOOKS)
        if not self._looked():
            self._unknown = True
            return Told("", self._unseen())
        return self._failed(
            name, wish, Told("not-found", f"cannot install {name}: no source of this laptop has it")
        )

    def _unseen(self) -> str:
        """Why no list has it: at least one could not be read."""
        try:
            missing = unread(LinuxApt().looks_for(), there := self._lists())
        except BookbagError:
            return _UNSEEN
        if not (missing and there):
            return _UNSEEN
        return f"no source that could be read has it; {some(missing)} could not, or its key does not fit"

    def _lists(self) -> tuple[Target, ...]:
        """The lists of packages that are there."""
        if self._there is None:
            self._there = tuple(Target(*one) for one in self._apt.lists())
        return self._there

    def _since_look(self) -> int | None:
        """Seconds since the last look at the very sources that there are now."""
        if not self._notes.looked_at(self._sources):
            return None
        return self._notes.since(LISTS, self._boot, self._now)

    def _one(self, name: str, wish: Wish, leaving: frozenset[str], not_now: str) -> None:
        there = self._dpkg.find(name).package
        if there.held and not wish.held:
            self._apt.mark("unhold", name)
        if wish.installed and there.installed != YES:
            self._install(name, wish, not_now)
        elif wish.installed and wish.mark == AUTO and self._notes.came_along(name):
            self._notes.keep_came(name, Came((), configured=False))  # it came with another of ours, just now
        elif not wish.installed and there.installed == YES:
            self._remove(name, wish, leaving, not_now)
        there = self._dpkg.find(name).package
        if wish.installed and wish.mark in (AUTO, MANUAL) and there.mark != wish.mark:
            self._apt.mark(wish.mark, name)
        if wish.held and not there.held:
            self._apt.mark("hold", name)

    # -- installing

    def _install(self, name: str, wish: Wish, not_now: str) -> None:
        course = self._apt.course("install", name)
        if name not in course.names:  # a name that several others provide, say
            raise Unknown
        if barred := course.names & wish.shuns:
            raise BookbagError(
                "conflict", f"cannot install {name}: {some(barred)} would come with it, and is not to be here"
            )
        self._may_give_way(name, wish, course.removes)
        if not wish.foreign:
            from_the_distribution(name, course)
        wanted = self._apt.files(name)
        if not wish.foreign:
            files_of_the_distribution(name, wanted, self._lists())
        missing = self._files.take(wanted)
        self._awaited[name] = wanted
        if missing:
            self._missing = True
            size = sum(one.size for one in missing) / 1e6
            raise Later(f"it is being fetched ({max(size, 0.1):.1f} MB)")
        if not_now:
            raise Later(not_now)
        self._files.check_room(name, wanted)
        if course.removes:
            self._apt.remove(*sorted(course.removes))
            self._loosen(course.removes)
        if wish.mark == AUTO:  # ours, to be taken away again: with what comes along, unless that was there
            others = course.names - self._dpkg.installed() - {name}
            # What somebody took away and comes back is as it was when it came first.
            first = self._notes.came(name) or Came((), self._dpkg.find(name).configured)
            came = Came(tuple(sorted({*first.others, *others})), first.configured)
            self._notes.keep_came(name, came)
        self._apt.install(name, auto=wish.mark == AUTO)
        del self._awaited[name]

    def _may_give_way(self, name: str, wish: Wish, going: frozenset[str]) -> None:
        """Raise ``conflict`` where of ``going``, which cannot be there beside ``name``, something stays."""
        if not going:
            return
        told = refusal(name, going, self._yielding(wish), self._dpkg.find, self._notes.came_along)
        if told or self._apt.course("remove", *sorted(going)) != Course({}, going):
            raise BookbagError(
                "conflict", f"cannot install {name}: {some(going)} would have to be removed for it"
            )

    def _yielding(self, wish: Wish) -> frozenset[str]:
        """What gives way to it: nothing that a person wanted for themselves since."""
        return frozenset(one for one in wish.over if self._dpkg.find(one).package.mark == AUTO)

    def _loosen(self, gone: Iterable[str]) -> None:
        """These are gone for the sake of others: what came along with them goes with whatever goes next."""
        for one in sorted(gone):
            if came := self._notes.came(one):
                loose = self._notes.came(LOOSE)
                others = {*came.others, *(loose.others if loose else ())}
                self._notes.keep_came(LOOSE, Came(tuple(sorted(others)), configured=False))
                self._notes.keep_came(one, None)

    # -- removing

    def _remove(self, name: str, wish: Wish, leaving: frozenset[str], not_now: str) -> None:
        # What somebody wanted for themselves since is no longer ours, and neither is its configuration.
        ours = self._dpkg.find(name).package.mark == AUTO
        came = self._notes.came(name) if ours else None
        course = self._apt.course("remove", name)
        if course.installs:
            raise BookbagError(
                "conflict", f"cannot remove {name}: {some(course.names)} would be installed in its place"
            )
        noted = self._notes.came_along if came else _never
        yielding = self._yielding(wish)
        if why := refusal(name, course.removes, leaving | yielding, self._dpkg.find, noted):
            raise BookbagError("not-allowed", f"cannot remove {name}: {why}")
        if not_now:
            raise Later(not_now)
        staying = leaving - {name}  # for this moment: each goes in its turn
        before = self._apt.orphans((*staying, name)) if came else frozenset()
        self._apt.remove(name)
        self._loosen(course.removes & yielding - {name})
        if came is None:
            self._notes.keep_came(name, None)
            return
        loose = self._notes.came(LOOSE)
        others = {*came.others, *(loose.others if loose else ())}
        along = along_with((self._apt.orphans(staying) - before) & others, self._dpkg.find)
        if along and self._apt.course("remove", *sorted(along)) == Course({}, along):
            self._apt.remove(*sorted(along))
        else:
            along = frozenset()
        forgotten = (*sorted(along), *(() if came.configured else (name,)))
        if forgotten := tuple(one for one in forgotten if not clears_up(one)):
            self._apt.forget(*forgotten)
        left = tuple(sorted((others - along) & self._dpkg.installed()))
        self._notes.keep_came(LOOSE, Came(left, configured=False) if left else None)
        self._notes.keep_came(name, None)

    # -- what is not there

    def _ask_for_more(self) -> dict[str, Told]:
        """At most one unit is begun; it brings this one back when it ends. What to tell of packages that are
        not even asked for.
        """
        if not (self._missing or self._unknown):
            return {}
        looked = self._since_look()
        fetched = self._notes.since(FETCH, self._boot, self._now)
        stale = looked is None or looked > DAY or (fetched is not None and looked > HOUR and looked > fetched)
        failures = 0 if looked is None or self._looked() else self._notes.failures() + 1
        if (self._unknown or stale) and (looked is None or looked > patience(failures)):
            self._notes.look_at(self._sources, failures)
            self._notes.began(LISTS, self._boot, self._now)
            self._start(LISTS)
        elif self._missing:
            new, left_out = self._files.want(self._awaited)
            if left_out.keys() >= self._awaited.keys():
                return left_out
            if new or fetched is None or fetched > AGAIN or (looked is not None and looked < fetched):
                self._notes.began(FETCH, self._boot, self._now)
                self._start(FETCH)
            return left_out
        return {}


def patience(failures: int) -> int:
    """Seconds from one look at the sources to the next, where so many failed one after the other: one source
    that is broken for good is no reason to ask all others every few minutes.
    """
    return min(AGAIN << min(failures, 10), HOUR)


def _never(name: str) -> bool:
    del name
    return False
