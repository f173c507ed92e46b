"""apt-source: one more place that apt has packages from, and the key that it believes for it alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import State
from agent.host.apt import OURS, SOURCES, Apt, release_address
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.dropin import DropIn
from agent.policy.bases.filestate import look, put

_FIRST = "# Made by Bookbag, for the source {} of the policy."


@dataclass(frozen=True, slots=True)
class AptSource(DropIn):
    """One file, the key within it: there is no other place that the key could be believed from, or be left
    behind at. What stands in this place and is somebody else's is told, and stays.
    """

    kind: ClassVar[str] = "apt-source"
    about: ClassVar[str] = "One more source of packages, and its key."
    needs: ClassVar[tuple[str, ...]] = ("apt",)
    mends_effects: ClassVar[bool] = True  #: by going, where apt would have no source at all with it
    risk: ClassVar[str] = "what comes from it runs as root when it is installed"

    source: str
    uris: list[str] = field(default_factory=list)
    suites: list[str] = field(default_factory=list)
    components: list[str] = field(default_factory=list)
    architectures: list[str] = field(default_factory=list)
    key: str = ""

    @property
    def name(self) -> str:
        return self.source

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    @property
    def path(self) -> str:
        return f"{SOURCES}/{OURS}{self.source}.sources"

    def text(self) -> str:
        rows = {
            "Types": ["deb"],
            "URIs": self.uris,
            "Suites": self.suites,
            "Components": self.components,
            "Architectures": self.architectures,
        }
        lines = (f"{name}: {' '.join(words)}\n" for name, words in rows.items() if words)
        key = (f" {line or '.'}\n" for line in self.key.splitlines())
        return f"{_FIRST.format(self.source)}\n{''.join(lines)}Signed-By:\n{''.join(key)}"

    def claims(self) -> tuple[str, ...]:
        """The places too: where two files have one place with two keys, apt has no source at all."""
        return (self.path, *self._releases())

    def lacking(self, host: Host) -> str:
        there = look(host, self.path)
        if there is not None:
            return "" if self._is_ours(there) else f"free place {self.path}: somebody else's file is in it"
        try:
            taken = sorted(_apt(host).looks_for() & set(self._releases()))
        except BookbagError:
            return ""  # told by `problem`
        return f"need of it: {taken[0]} is a source of its own already" if taken else ""

    def guard(self, host: Host) -> None:
        there = look(host, self.path)
        if there is not None and not self._is_ours(there):
            raise BookbagError(
                "not-allowed", "cannot write here: somebody else's file is in it", place=self.path
            )

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        self.guard(host)
        there = look(host, self.path)
        DropIn.apply(self, host, before, after)  # slots: no super here
        if after is None or after["file"] is None:
            return
        try:
            _apt(host).looks_for()
        except BookbagError:  # with ours, apt may have no source at all: no update either
            if self._makes_room(host, there) or there != after["file"]:
                raise

    def _makes_room(self, host: Host, there: State | None) -> bool:
        """Whether apt can read its sources again with what was ``there``, or else with nothing here: a
        vendor's package may have brought a file of its own, with another key. If not, it is not for ours.
        """
        for state in (there, None) if there is not None else (None,):
            put(host, self.path, state)
            with suppress(BookbagError):
                _apt(host).looks_for()
                return True
        put(host, self.path, there)
        return False

    def problem(self, host: Host) -> str:
        lacking = sorted(set(self._releases()) - _apt(host).looks_for())
        return f"apt does not look for {lacking[0]}" if lacking else ""

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Whatever somebody changed of ours, it goes; what has its place by now stays."""
        there = None if now is None else now["file"]
        ours = isinstance(there, Mapping) and self._is_ours(there)
        return {**(now or {}), "file": None} if ours else now

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """What of ours was there before the journal knew of it goes as well."""
        del host
        return self.release(now, prior)

    def _releases(self) -> tuple[str, ...]:
        return tuple(release_address(uri, suite) for uri in self.uris for suite in self.suites)

    def _is_ours(self, there: Mapping[str, object]) -> bool:
        content = there.get("content")
        first = (
            content.split(b"\n", 1)[0] if there.get("kind") == "file" and isinstance(content, bytes) else b""
        )
        return first == _FIRST.format(self.source).encode()


def _apt(host: Host) -> Apt:
    return need(host.apt, "apt")
