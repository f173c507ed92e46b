"""Documents that are read once, however many devices and moments IT asks about."""

from __future__ import annotations

from agent.policy.document import PolicyDocument, Source, read_document
from agent.policy.syntax.problems import Problems


class Readings:
    """`read_document` that remembers: the same document or the same problems for the same source."""

    def __init__(self) -> None:
        self._known: dict[Source, tuple[PolicyDocument | None, Problems]] = {}

    def read(self, source: Source, problems: Problems) -> PolicyDocument | None:
        """As `read_document`."""
        if source not in self._known:
            found = Problems()
            self._known[source] = (read_document(source, found), found)
        document, found = self._known[source]
        problems.errors += found.errors
        return document
