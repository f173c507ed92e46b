"""The printers of the laptop in a folder: queues in a note that nothing prints from, and CUPS's rules about
names and defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from agent.core.errors import BookbagError
from agent.host.base import Files
from agent.host.printing import Queue, check_name, check_queue
from agent.host.sandbox.notes import Notes
from agent.host.sandbox.services import SandboxServices

UNIT = "cups.service"
#: Where an administrator's choice for everybody lies, over the spooler's own.
OPTIONS = "/etc/cups/lpoptions"
_QUEUES, _DEFAULT = "queues", "default"


class SandboxPrinting:
    """``notes`` has the queues, by name, and the default."""

    def __init__(self, files: Files, notes: Notes, services: SandboxServices) -> None:
        self._files = files
        self._notes = notes
        self._services = services

    def lacks(self, address: str, speaks: str) -> str:
        del address, speaks  # everything is there
        return ""

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._queues()))

    def find(self, name: str) -> Queue | None:
        check_name(name)
        queues = self._queues()
        there = next((one for one in sorted(queues) if one.lower() == name), None)
        if there is None:
            return None
        noted = queues[there]
        assert isinstance(noted, Mapping)  # noqa: S101
        return replace(Queue(**noted), ours=noted.get("ours") is True and there == name)

    def put(self, name: str, queue: Queue) -> None:
        check_name(name)
        check_queue(queue)
        self.note(name, replace(queue, ours=True))

    def note(self, name: str, queue: Queue) -> None:
        """A queue as whoever runs the laptop makes one."""
        self._notes.put(_QUEUES, {**self._queues(), name: asdict(queue)})

    def remove(self, name: str) -> None:
        check_name(name)
        if self.default() == name:
            self._notes.put(_DEFAULT, "")
        self._notes.put(_QUEUES, {one: queue for one, queue in self._queues().items() if one != name})

    def default(self) -> str:
        self._queues()  # or it does not run
        return str(self._notes.read().get(_DEFAULT, ""))

    def set_default(self, name: str) -> None:
        there = self.default()
        if name:
            check_name(name)
            if self.find(name) is None:
                raise BookbagError("not-effective", f"cannot set up the printer: there is no {name}")
        elif there:
            queue = self.find(there) if there == there.lower() else None
            if queue is None or not queue.ours:
                raise BookbagError("not-allowed", f"cannot have no default printer: a person made {there}")
        self._notes.put(_DEFAULT, name)

    def choose(self, name: str) -> None:
        """A default as whoever runs the laptop sets it."""
        self._notes.put(_DEFAULT, name)

    def offered(self) -> str:
        node = self._files.read(OPTIONS)
        text = node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""
        chosen = [words[1] for line in text.splitlines() if (words := line.split())[:1] == ["Default"]]
        return next((one for one in chosen if one in self._queues()), self.default())

    def _queues(self) -> dict[str, object]:
        if not self._services.state(UNIT).active:
            raise BookbagError("not-supported", "cannot ask CUPS: it does not run")
        noted = self._notes.read().get(_QUEUES, {})
        return {str(name): queue for name, queue in noted.items()} if isinstance(noted, dict) else {}
