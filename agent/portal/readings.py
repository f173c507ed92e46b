"""The content origin: what there is to read, watch and try out, kept apart from the portal and from each
other."""

from __future__ import annotations

from agent.portal.people import People
from agent.portal.visit import Parts
from agent.web.answers import Answer, Sink
from agent.web.http import HttpError, Request


class Readings:
    """Handler of the content listener."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._people = people

    def handle(self, request: Request) -> Answer | Sink:
        """Answer one request. Raises HttpError."""
        self._parts.content.check_host(request)
        raise HttpError(404, "there is nothing here", keep=True)
