"""sessions: whoever is logged in is logged out, and nothing of theirs goes on running.

An open session is a way in of its own: a screen locker such as swaylock never asks the account stage of PAM.
Sessions are not brought back; who may linger (run services without being logged in) is.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.model import State
from agent.host.base import Files
from agent.host.locking.ports import People
from agent.host.recorded import put_back, record

LINGER = "/var/lib/systemd/linger"


class Sessions:
    """The sessions and processes of people, and who of them lingers."""

    name = "sessions"

    def __init__(self, files: Files, people: People) -> None:
        self._files = files
        self._people = people

    def observe(self) -> State:
        """As `agent.host.base.LockLayer.observe`."""
        return record(self._files, *self._lingering())

    def close(self) -> None:
        """As `agent.host.base.LockLayer.close`."""
        for path in self._lingering():
            self._files.remove(path)
        self._people.end()

    def closed(self) -> bool:
        """As `agent.host.base.LockLayer.closed`."""
        return not self._lingering() and not self._people.present()

    def restore(self, prior: State) -> None:
        """As `agent.host.base.LockLayer.restore`."""
        put_back(self._files, prior)
        recorded = prior["files"]
        if isinstance(recorded, Mapping):
            self._people.welcome([str(path).rpartition("/")[2] for path in recorded])

    def _lingering(self) -> list[str]:
        """The paths that say which people linger."""
        return [f"{LINGER}/{user}" for user in self._people.among(self._files.names(LINGER) or ())]
