"""The network of the laptop in a folder: rules that hold nothing up, and a link that tests pull."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.host.nft_table import added, plain
from agent.host.sandbox.notes import Notes


class SandboxFirewall:
    """Our table, noted in DIR/.sandbox/firewall.json."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def load(self, script: str) -> None:
        objects = plain(added(script))
        named = [one["chain"]["name"] for one in objects if isinstance(one, dict) and "chain" in one]
        if any(
            "rule" in one and one["rule"]["chain"] not in named for one in objects if isinstance(one, dict)
        ):
            raise BookbagError("not-effective", "cannot load the firewall's rules: a chain is not there")
        self._notes.put("table", list(objects))

    def listed(self) -> tuple[object, ...] | None:
        table = self._notes.read().get("table")
        return tuple(table) if isinstance(table, list) else None

    def clear(self) -> None:
        self._notes.put("table", None)


class SandboxLinks:
    """Up, unless DIR/.sandbox/network.json says ``{"up": false}``."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def up(self) -> bool:
        return self._notes.read().get("up") is not False
