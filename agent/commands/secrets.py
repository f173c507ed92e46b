"""The secrets that the school gave this laptop, by name: root's alone, durable, and told to nobody.

One order brings all of them: what it does not name is gone. Kept in two copies, for an order is obeyed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.store import atomic
from agent.store.twinfile import TwinFile


@dataclass(frozen=True, slots=True)
class Given:
    """The state file ``secrets``. ``epoch`` and ``seq`` are those of the order that brought them."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    device: str = ""  #: whose life they are for
    epoch: int = 0
    seq: int = 0
    count: int = 0
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)


class Secrets:
    """Those kept at ``path`` and ``path.2``."""

    def __init__(self, path: str) -> None:
        self._file = TwinFile(path, Given, "secrets", remedy="give them anew: bookbag-fleet secret give")

    def find(self, name: str) -> str | None:
        """The value of one; None if it was not given. Raises as `read`."""
        return self.read().values.get(name)

    def names(self) -> tuple[str, ...]:
        """Of all of them. Raises as `read`."""
        return tuple(sorted(self.read().values))

    def read(self) -> Given:
        """All of them. Raises ``state-corrupt`` if both copies are damaged."""
        return self._file.read() or Given()

    def forget(self) -> None:
        """Those of a former life of this laptop."""
        for path in (self._file.path, f"{self._file.path}.2"):
            atomic.remove(path)

    def put(self, given: Given) -> None:
        """Keep exactly these, durably. An older order than the one that brought what is here is refused
        (``replayed``): it was held up, and time went by it. Raises ``disk-full``."""
        try:
            before = self.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            before = Given()
        newer = (before.epoch, before.seq) > (given.epoch, given.seq)
        if newer and before.device == given.device:
            raise BookbagError("replayed", "cannot take the secrets: a newer order brought others")
        self._file.write(given)
