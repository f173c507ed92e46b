"""A whole laptop in a folder with everything the engine needs: real journal, ledger and memory, no mocks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from agent.core.layout import Layout
from agent.core.model import Outcome
from agent.host.base import Host, Node
from agent.host.sandbox.laptop import open_sandbox
from agent.policy.compile import compile_site
from agent.policy.compiled import Compiled
from agent.policy.document import Source
from agent.policy.enforcement.engine import Engine
from agent.policy.enforcement.memory import EngineState
from agent.policy.enforcement.plan import Plan, Run
from agent.policy.resources.other_browser import PLACES
from agent.policy.targeting import DeviceFacts
from agent.store.ledger import SqliteLedger
from agent.store.statefile import StateFile
from agent.store.undo import UndoJournal
from tests.contract.firmware_trees import DELL, plant

DEVICE = DeviceFacts(site="north", device="d" * 32, school="north-high", year="9", class_="9b", name="lap-1")
#: What every setting of Chromium and Firefox brings along, for browsers that look elsewhere.
COPIES = [f"other-browser:{place}" for place in sorted(PLACES)]
NOW = 1_800_000_000


def policy(body: str, *, name: str = "test", rank: str = "school", more: str = "") -> bytes:
    """A whole document around ``settings:`` and ``resources:``."""
    head = f'policy: {name}\nrank: {rank}\nowner: ict@north.example\nreview-by: "2027-08-01"\n'
    if rank in ("year", "class", "device"):
        value = {"year": "9", "class": "9b", "device": DEVICE.device}[rank]
        head += f'applies-to: {{{rank}: "{value}"}}\n'
    return (head + more + body).encode()


def source(
    body: str, *, name: str = "test", rank: str = "school", power: bool = False, more: str = ""
) -> Source:
    """A document of a role, as the trust room would hand it over."""
    folder, role = ("power", "root") if power else ("policy", "ict")
    return Source(f"{folder}/{role}/{name}.yaml", policy(body, name=name, rank=rank, more=more), role, power)


def compiled(*sources: Source, device: DeviceFacts = DEVICE) -> Compiled:
    """The policy of one device."""
    return compile_site(sources, device)


class Given:
    """Secrets by name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def find(self, name: str) -> str | None:
        return self._values.get(name)

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._values))


class Machine:
    """A sandbox laptop and the agent's own state, in ``folder``. Closes what it opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.laptop = folder / "laptop"
        self.layout = Layout(str(folder / "agent"))
        for path in (self.laptop / "etc", Path(self.layout.undo), Path(self.layout.ledger).parent):
            os.makedirs(path, exist_ok=True)
        os.makedirs(self.layout.state, exist_ok=True)
        #: What the school gave this laptop, by name.
        self.secrets = {"pupils-wifi": "four random little words", "radius": "Pass;word #7 \\", "short": "5"}
        self.secrets["roster-1"] = f"1:first:nour:$7$C6..../....0123456789abcdef${'x' * 43}:Nour"
        self.secrets["firmware-admin"] = "Recess4Two"
        if not (self.laptop / "sys").exists():  # or whoever opens it again would find it set back
            plant(str(self.laptop), DELL)
        self.host: Host = replace(open_sandbox(str(self.laptop)), secrets=Given(self.secrets))
        self.undo = UndoJournal(self.layout.undo)
        self.ledger = SqliteLedger(self.layout.ledger)
        self.memory = StateFile(self.layout.state_file("engine"), EngineState, "engine")
        self.now = NOW

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()
        close = getattr(self.host.files, "close", None)
        if close is not None:
            close()

    @property
    def engine(self) -> Engine:
        """A fresh engine at the machine's present time, as every worker has."""
        return Engine(self.host, self.undo, self.ledger, self.memory, self.now)

    def plan(self, wanted: Compiled | None) -> Plan:
        return self.engine.plan(wanted)

    def apply(self, wanted: Compiled | None, expected: str | None = None) -> Run:
        return self.engine.apply(wanted, expected)

    def write(
        self, path: str, content: str = "", mode: int = 0o644, owner: str = "root", **xattrs: bytes
    ) -> None:
        """Put a file on the laptop, the way someone else would."""
        named = tuple(sorted((f"user.{name}", value) for name, value in xattrs.items()))
        self.host.files.make_parents(path)
        self.host.files.write(path, Node("file", mode, owner, owner, content.encode(), named))

    def read(self, path: str) -> str | None:
        node = self.host.files.read(path)
        return None if node is None else node.content.decode()

    def remove(self, path: str) -> None:
        self.host.files.remove(path)

    def state(self) -> dict[str, Node]:
        """Every file and directory of the laptop, to compare before and after."""
        found: dict[str, Node] = {}
        self._walk("", found)
        return found

    def _walk(self, folder: str, found: dict[str, Node]) -> None:
        for name in self.host.files.names(folder or "/") or ():
            path = f"{folder}/{name}"
            node = self.host.files.read(path)
            if node is not None:
                found[path] = node
                if node.kind == "directory":
                    self._walk(path, found)


def outcomes(run: Run) -> Mapping[str, Outcome]:
    """Resource → outcome, directories that were given back left out: they went with what lay in them."""
    return {
        one.resource: one.outcome
        for one in run.reports
        if not one.resource.startswith("directory:") or one.outcome not in (Outcome.RESTORED, Outcome.KEPT)
    }
