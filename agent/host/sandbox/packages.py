"""The packages of the laptop in a folder: names in a note, installed at once unless its line is noted to be
off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from agent.host.packages import AUTO, MANUAL, NO, YES, Package, Packages, Told, Wish, check_package
from agent.host.sandbox.notes import Notes

_PACKAGES, _NEEDS, _AWAY, _LINE, _TOLD = "packages", "needs", "away", "line", "told"
_RIVALS = "rivals"
OFF = "off"


class SandboxPackages(Packages):
    """``notes``: the packages; which needs which (``needs``: name → names), and is never beside which
    (``rivals``); which no source has (``away``); whether the line is off.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def find(self, name: str) -> Package:
        check_package(name)
        noted = self._mapping(_PACKAGES).get(name)
        return Package(**noted) if isinstance(noted, Mapping) else Package()

    def note(self, name: str, package: Package) -> None:
        """A package as whoever runs the laptop has it."""
        check_package(name)
        noted = {one: row for one, row in self._mapping(_PACKAGES).items() if one != name}
        if package != Package():
            noted[name] = asdict(package)
        self._notes.put(_PACKAGES, noted)

    def note_needs(self, name: str, *needs: str) -> None:
        """That ``name`` does not work without ``needs``."""
        self._notes.put(_NEEDS, {**self._mapping(_NEEDS), name: list(needs)})

    def note_rivals(self, name: str, *rivals: str) -> None:
        """That ``name`` is never there beside ``rivals``."""
        self._notes.put(_RIVALS, {**self._mapping(_RIVALS), name: list(rivals)})

    def note_away(self, *names: str) -> None:
        """What no source has."""
        self._notes.put(_AWAY, list(names))

    def note_line(self, state: str) -> None:
        """Whether anything can be fetched (`OFF`: nothing)."""
        self._notes.put(_LINE, state)

    def needed_by(self, name: str) -> tuple[str, ...]:
        check_package(name)
        return tuple(
            sorted(
                one
                for one, needs in self._mapping(_NEEDS).items()
                if isinstance(needs, list) and name in needs
                if (found := self.find(one)).installed == YES and found.mark == MANUAL
            )
        )

    def ask(self, name: str, wish: Wish) -> None:
        check_package(name)
        self.carry_out({name: wish}, "")

    def told(self, name: str, wish: Wish) -> Told:
        del wish
        found = self._mapping(_TOLD).get(name)
        return Told(**found) if isinstance(found, Mapping) else Told("", "it is asked for")

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        told = {}
        for name, wish in sorted(wishes.items(), key=lambda one: one[1].installed):
            check_package(name)
            if problem := self._carry_out(name, wish, not_now, wishes):
                told[name] = asdict(problem)
        kept = {name: one for name, one in self._mapping(_TOLD).items() if name not in wishes}
        self._notes.put(_TOLD, {**kept, **told})

    def _carry_out(self, name: str, wish: Wish, not_now: str, wishes: Mapping[str, Wish]) -> Told | None:
        there = self.find(name)
        if wish.installed != (there.installed == YES):
            if not_now:
                return Told("", not_now)
            if wish.installed and name in self._notes.texts(_AWAY):
                return Told("not-found", f"cannot install {name}: no source of this laptop has it")
            if wish.installed and self._notes.read().get(_LINE) == OFF:
                return Told("", "it is being fetched")
            if wish.installed and (problem := self._beside(name, wish)):
                return problem
            needed = [one for one in self.needed_by(name) if one not in wishes or wishes[one].installed]
            if not wish.installed and needed:
                return Told("not-allowed", f"cannot remove {name}: {needed[0]} needs it")
            for one in wish.over:
                if not wish.installed and name in self._named(_NEEDS, one) and self.find(one).mark == AUTO:
                    self.note(one, Package())
        mark = (wish.mark or there.mark or AUTO) if wish.installed else ""
        self.note(name, Package(YES if wish.installed else NO, wish.held, mark))
        return None

    def _beside(self, name: str, wish: Wish) -> Told | None:
        """Why it cannot come beside what else is there or not to be; what gives way to it goes."""
        if barred := wish.shuns.intersection(self._named(_NEEDS, name)):
            return Told("conflict", f"cannot install {name}: {min(barred)} is not to be here")
        known = self._mapping(_PACKAGES)
        rivals = [one for one in known if one in self._named(_RIVALS, name)]
        rivals += [one for one in known if name in self._named(_RIVALS, one)]
        for one in rivals:
            if one not in wish.over or self.find(one).mark != AUTO:
                return Told("conflict", f"cannot install {name}: {one} would have to be removed for it")
            self.note(one, Package())
        return None

    def _named(self, key: str, name: str) -> list[object]:
        found = self._mapping(key).get(name)
        return found if isinstance(found, list) else []

    def _mapping(self, key: str) -> dict[str, object]:
        noted = self._notes.read().get(key, {})
        return {str(name): one for name, one in noted.items()} if isinstance(noted, dict) else {}
