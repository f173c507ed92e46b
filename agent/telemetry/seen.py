"""What collectors may look at: the sensors, root's public snapshots, and the little that the supervisor hands
over.

There is nothing else: no path of a person's, no name of a network, no list of programs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.base import Readings
from agent.store import atomic
from agent.telemetry.memory import Memory

MAX_SNAPSHOT = 256 << 10


def _nothing(_word: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Seen:
    """``at``: trusted time. ``status``: the supervisor's own state, see `agent.daemon.reporting`.
    ``may_name`` says whether a word is a setting or a kind of resource that this version has and may tell of.
    """

    layout: Layout
    readings: Readings
    at: int
    status: Mapping[str, object] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    may_name: Callable[[str], bool] = _nothing

    def snapshot(self, name: str) -> Mapping[str, object]:
        """A public snapshot of root's; {} where it is absent or damaged: then nothing is known."""
        path = f"{self.layout.public}/{name}.json"
        try:
            data = atomic.read(path, max_bytes=MAX_SNAPSHOT)
            found = None if data is None else jsontext.parse(data, what=path, max_bytes=MAX_SNAPSHOT)
        except BookbagError:
            return {}
        return found if isinstance(found, dict) and found.get("v") == 1 else {}

    def part(self, name: str) -> Mapping[str, object]:
        """A mapping within the status; {} if it is not there."""
        found = self.status.get(name)
        return found if isinstance(found, dict) else {}

    def number(self, name: str) -> int | None:
        """A number within the status."""
        found = self.status.get(name)
        return found if type(found) is int else None

    def flag(self, name: str) -> bool | None:
        """A flag within the status."""
        found = self.status.get(name)
        return found if isinstance(found, bool) else None
