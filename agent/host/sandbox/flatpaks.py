"""flatpak on the laptop in a folder: names in a note, installed at once unless its line is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from agent.host.flatpaks import Flatpaks, Source, Wish, check_source, parts
from agent.host.packages import Told
from agent.host.sandbox.notes import Notes

_SOURCES, _APPLICATIONS, _AWAY, _LINE, _TOLD, _NONE = (
    "sources",
    "applications",
    "away",
    "line",
    "told",
    "none",
)
OFF = "off"
#: The source that a laptop with flatpak has from its first day.
_FLATHUB = {
    "address": "https://dl.flathub.org/repo/",
    "key": "of flathub",
    "verified": True,
    "note": "",
}


class SandboxFlatpaks(Flatpaks):
    """``notes``: the sources; the applications, with the source of each; which no source has (``away``);
    whether the line is off; whether there is no flatpak at all (``none``).
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def there(self) -> bool:
        return self._notes.read().get(_NONE) is not True

    def note_none(self) -> None:
        """That there is no flatpak."""
        self._notes.put(_NONE, True)

    def note_away(self, *names: str) -> None:
        """What no source has."""
        self._notes.put(_AWAY, list(names))

    def note_line(self, state: str) -> None:
        """Whether anything can be fetched (`OFF`: nothing)."""
        self._notes.put(_LINE, state)

    def note(self, name: str, source: str | None) -> None:
        """An application as whoever runs the laptop has it."""
        parts(name)
        noted = {one: row for one, row in self._mapping(_APPLICATIONS).items() if one != name}
        self._notes.put(_APPLICATIONS, noted if source is None else {**noted, name: source})

    def source(self, name: str) -> Source | None:
        check_source(name)
        found = self._sources().get(name)
        if not isinstance(found, Mapping) or not self.there():
            return None
        return Source(**{**found, "key": str(found.get("key", "")).encode()})

    def set_source(self, name: str, source: Source | None) -> None:
        check_source(name, source)
        noted = {one: row for one, row in self._sources().items() if one != name}
        if source is not None:
            noted[name] = {**asdict(source), "key": source.key.decode("latin-1")}
        self._notes.put(_SOURCES, noted)

    def find(self, name: str) -> str | None:
        parts(name)
        found = self._mapping(_APPLICATIONS).get(name)
        return found if isinstance(found, str) and self.there() else None

    def ask(self, name: str, wish: Wish) -> None:
        parts(name)
        self.carry_out({name: wish}, "")

    def told(self, name: str, wish: Wish) -> Told:
        del wish
        found = self._mapping(_TOLD).get(name)
        return Told(**found) if isinstance(found, Mapping) else Told("", "it is asked for")

    def carry_out(self, wishes: Mapping[str, Wish], not_now: str) -> None:
        told = {}
        for name, wish in wishes.items():
            if problem := self._carry_out(name, wish, not_now):
                told[name] = asdict(problem)
        kept = {name: one for name, one in self._mapping(_TOLD).items() if name not in wishes}
        self._notes.put(_TOLD, {**kept, **told})

    def _carry_out(self, name: str, wish: Wish, not_now: str) -> Told | None:
        if wish.installed == (self.find(name) is not None):
            return None
        if not_now:
            return Told("", not_now)
        if wish.installed:
            found = self.source(wish.source)
            if found is None:
                text = f"cannot install {name}: the laptop has no source {wish.source}"
                return Told("not-found", text)
            if not found.verified:
                text = f"cannot install {name}: nobody signs what comes from {wish.source}"
                return Told("not-allowed", text)
            if self._notes.read().get(_LINE) == OFF:
                return Told("", "it is being fetched")
            if name in self._notes.texts(_AWAY):
                return Told("not-found", f"cannot install {name}: {wish.source} does not have it")
        self.note(name, wish.source if wish.installed else None)
        return None

    def _sources(self) -> dict[str, object]:
        return {"flathub": _FLATHUB} | self._mapping(_SOURCES)

    def _mapping(self, key: str) -> dict[str, object]:
        noted = self._notes.read().get(key, {})
        return {str(name): one for name, one in noted.items()} if isinstance(noted, dict) else {}
