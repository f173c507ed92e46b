"""What the laptop in a folder is said to be: everything, but for what DIR/.sandbox/assurances.json lacks."""

from __future__ import annotations

from agent.host.assurances import check_known
from agent.host.sandbox.notes import Notes


class SandboxAssurances:
    """``notes``: word → why it lacks that."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def lacks(self, what: str) -> str:
        check_known(what)
        said = self._notes.read().get(what, "")
        return said if isinstance(said, str) else ""

    def lose(self, what: str, why: str) -> None:
        """From now on it lacks ``what``; with no reason it has it again."""
        check_known(what)
        self._notes.put(what, why)
