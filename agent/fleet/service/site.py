"""The public side of the service: the repository to read, returns and reports to leave. One table says who
may do what."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from agent.fleet.service.classes import Classes
from agent.fleet.service.intake import Intake
from agent.fleet.service.repository import Repository
from agent.fleet.service.returns import Returns
from agent.web.answers import Answer, Sink
from agent.web.http import HttpError, Request


class Site:
    """Handler of the public listener."""

    def __init__(
        self,
        repository: Repository,
        returns: Returns,
        intake: Intake | None = None,
        classes: Classes | None = None,
        *,
        prefixes: Iterable[str] = (),
    ) -> None:
        """``prefixes``: paths of the site's URLs, such as ``/bookbag``; requests below them mean the same
        files. ``intake`` None: no reports are taken; ``classes`` None: no teachers come in."""
        self._repository = repository
        self._returns = returns
        self._intake = intake
        self._classes = classes
        self._prefixes = tuple(prefix for prefix in prefixes if prefix)

    def handle(self, request: Request) -> Answer | Sink:
        """Route one request: GET and HEAD below metadata/ and targets/, PUT below returns/, POST below
        v1/ and class/.
        """
        for prefix in self._prefixes:
            if request.path.startswith(f"{prefix}/"):
                request = dataclasses.replace(request, path=request.path[len(prefix) :])
                break
        returning = request.path.startswith("/returns/")
        reporting = self._intake is not None and request.path.startswith("/v1/")
        teaching = self._classes is not None and request.path.startswith("/class/")
        if request.method == "POST" and self._classes is not None and teaching:
            return self._classes.post(request)
        if request.method == "PUT" and returning:
            return self._returns.put(request)
        if request.method == "POST" and self._intake is not None and reporting:
            return self._intake.post(request)
        if request.method in ("GET", "HEAD") and not (returning or reporting or teaching):
            return self._repository.get(request)
        allow = "PUT" if returning else "POST" if reporting or teaching else "GET, HEAD"
        raise HttpError(405, f"only {allow} here", headers={"Allow": allow})
