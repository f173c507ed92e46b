"""Carries out what is wished of flatpak's applications, from what was fetched before; lists what has to be
fetched, and has that begun.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from agent.core.errors import BookbagError
from agent.host.flatpaks import Wish, parts
from agent.host.linux.flatpak_fetch import CUT_OFF, ROOM, command, complaint, read_said, write_list
from agent.host.linux.flatpak_tree import FlatpakTree, base
from agent.host.linux.package_notes import Came, PackageNotes
from agent.host.packages import Told
from agent.host.processes import run

FETCH = "bookbag-flatpaks-fetch.service"
#: Seconds until what did not come is fetched once more.
PATIENCE = 1800
#: Seconds for one application that is there already.
_SECONDS = 1800.0
#: What came along with applications that are gone, and was needed by others then.
LOOSE = ""
_COMING = Told("", "it is being fetched")
#: How curl says that nobody answered: names, connections, times.
_NO_LINE = re.compile(r"\[(5|6|7|28|35|52|55|56)\] ")


class FlatpakWork:
    """``start`` begins a unit and does not wait for it; ``clock`` gives (boot, seconds since it)."""

    def __init__(
        self,
        place: str,
        tree: FlatpakTree,
        start: Callable[[str], None],
        clock: Callable[[], tuple[str, int]],
    ) -> None:
        self._place = place
        self._tree = tree
        self._start = start
        self._boot, self._now = clock()
        self._notes = PackageNotes(place)
        self._said = read_said(place)
        self._missing: dict[str, str] = {}

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        """See `Flatpaks`."""
        self._tree.mend()
        told: dict[str, Told] = {}
        for name, wish in sorted(wishes.items(), key=lambda one: one[1].installed):
            try:
                one = self._one(name, wish, not_now)
            except BookbagError as error:
                one = Told(error.code, error.message)
            if one is not None:
                told[name] = one
        try:
            self._fetch()
        except BookbagError as error:
            told |= dict.fromkeys(self._missing, Told(error.code, error.message))
        self._notes.tell(told, wishes)

    def _one(self, name: str, wish: Wish, not_now: str) -> Told | None:
        """What to tell of it; None: it is as wished."""
        full = self._tree.full("app", *parts(name))
        if wish.installed == (self._tree.origin(full) is not None):
            return None
        if not_now:
            return Told("", not_now)
        return self._install(name, full, wish.source) if wish.installed else self._remove(name, full)

    # -- installing

    def _install(self, name: str, full: str, source: str) -> Told | None:
        found = self._tree.source(source)
        if found is None:
            return Told("not-found", f"cannot install {name}: the laptop has no source {source}")
        if not found.verified:
            return Told("not-allowed", f"cannot install {name}: nobody signs what comes from {source}")
        why = ""
        if self._tree.is_fetched(full, source) and not (why := self._deploy(name, full, source)):
            return None
        # What is tried again is another wish: with another source, or another key.
        spelled = f"{name} {source} {found.address} {hash_of(found.key)}"
        since = self._notes.since(f"fetch {spelled}", self._boot, self._now)
        if since is not None and since < PATIENCE:
            if name not in self._said:
                return _COMING
            return _judged(name, self._said[name] or why)
        if self._tree.free() < ROOM:
            return Told("disk-full", f"cannot install {name}: less than {ROOM >> 30} GB are free")
        self._missing[name] = source
        self._notes.began(f"fetch {spelled}", self._boot, self._now)
        return _COMING

    def _deploy(self, name: str, full: str, source: str) -> str:
        """Why what was fetched could not be installed; "": it is."""
        before = self._tree.installed("runtime")
        ended = run(
            command("install", "--no-pull", source, full),
            timeout=_SECONDS,
            environment=self._tree.environment,
        )
        came = {*self._came(name), *(self._related(full) - before)}
        self._notes.keep_came(name, Came(tuple(sorted(came)), configured=False))
        if ended.status == 0 and self._tree.origin(full) is not None:
            return ""
        return complaint(ended.errors) or "flatpak does not say why"

    def _related(self, full: str) -> frozenset[str]:
        """What is there for this application: what it runs on, and what belongs to either."""
        names = {base(full), base(self._tree.runtime_of(full) or full)}
        there = self._tree.installed("runtime")
        return frozenset(one for one in there if _belongs(base(one), names))

    def _fetch(self) -> None:
        if self._missing:
            self._tree.prepare()
            # What was tried comes last: nothing that is endless keeps all others waiting.
            order = sorted(self._missing, key=lambda one: (one in self._said, one))
            write_list(self._place, {one: self._missing[one] for one in order})
            self._start(FETCH)

    # -- removing

    def _remove(self, name: str, full: str) -> Told | None:
        self._uninstall(full)
        left = {*self._came(name), *self._came(LOOSE)} & self._tree.installed("runtime")
        while gone := {one for one in left if not self._is_needed(one)}:
            for one in sorted(gone):
                if one in self._tree.installed("runtime"):  # what belongs to another may have gone with it
                    self._uninstall(one)
            left = (left - gone) & self._tree.installed("runtime")
        self._notes.keep_came(LOOSE, Came(tuple(sorted(left)), configured=False) if left else None)
        self._notes.keep_came(name, None)
        return None

    def _is_needed(self, full: str) -> bool:
        """Whether an application runs on it, it belongs to something that stays, or a person wants it."""
        apps = self._tree.installed("app")
        others = {*apps, *self._tree.installed("runtime")} - {full}
        if self._tree.is_pinned(full) or full in {self._tree.runtime_of(one) for one in apps}:
            return True
        extensions = [self._tree.extensions_of(one) for one in others]
        names = {base(one) for one in others} - {base(full)}
        names = names.union(*(one for one in extensions if one is not None))
        # Whoever does not say what extends it may be extended by this.
        return None in extensions or _belongs(base(full), names)

    def _uninstall(self, full: str) -> None:
        ended = run(command("uninstall", full), timeout=_SECONDS, environment=self._tree.environment)
        if ended.status != 0:
            why = complaint(ended.errors) or "flatpak does not say why"
            raise BookbagError("not-effective", f"cannot remove {base(full)}: {why}")

    def _came(self, name: str) -> tuple[str, ...]:
        came = self._notes.came(name)
        return came.others if came else ()


def _belongs(name: str, to: set[str]) -> bool:
    """Whether it is one of these, or an extension of one."""
    return any(name == one or name.startswith(f"{one}.") for one in to)


def _judged(name: str, why: str) -> Told:
    """What is told where fetching ended so. That nobody answered is no failure: it only takes time."""
    if not why or why == CUT_OFF:
        return Told("", f"{why}, and will go on" if why else _COMING.text)
    if _NO_LINE.search(why):
        return Told("", f"its source could not be reached yet: {why}"[:300])
    code = "not-found" if "othing matches" in why or "No such ref" in why else "not-effective"
    code = "bad-signature" if re.search("[Ss]ignature|GPG", why) else code
    return Told(code, f"cannot install {name}: {why}")


def hash_of(key: bytes) -> str:
    """Short, to tell keys apart."""
    import hashlib

    return hashlib.sha256(key).hexdigest()[:16]
