"""What anyone on this laptop may read about it: files of root's in ``layout.public``, each written whole and
only when it says something new. And one of them: ``ledger.json``, what happened last. And what only the
portal may read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from agent.core import durable
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Entry
from agent.core.ports import Ledger
from agent.daemon import wiring
from agent.daemon.worker import Context
from agent.store import atomic

VERSION = 1
NEWEST = 200  #: rows of the ledger
#: No other part of a row is for everybody's eyes.
LEDGER_FIELDS = ("kind", "subject", "outcome", "code", "message", "at")
LONGEST = 2000  #: characters of any text
MAX_BYTES = 4 << 20  #: of one file; beyond, what was there stays


def tell_portal(layout: Layout, path: str, told: Mapping[str, object]) -> None:
    """Make ``told`` what the portal, and nobody else, reads at ``path``. Raises ``disk-full`` and OSError."""
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if atomic.read(path, max_bytes=MAX_BYTES) != data:
        owner = wiring.portal_group(layout)
        durable.write(path, data, mode=0o640 if owner else 0o600, owner=owner)


def publish_ledger(context: Context, ledger: Ledger) -> None:
    """Bring ``ledger.json`` up to date; for every worker that writes rows students should see."""
    try:
        rows = ledger_rows(ledger.entries(newest=NEWEST))
    except BookbagError as problem:
        context.log("warning", f"cannot list the newest of the ledger: {problem}")
        return
    keep(context, "ledger.json", {"v": VERSION, "entries": rows})


def ledger_rows(entries: Iterable[Entry]) -> list[dict[str, object]]:
    """Entries for everybody's eyes: `LEDGER_FIELDS`, texts cut."""
    texts = [name for name in LEDGER_FIELDS if name != "at"]
    return [{**{name: cut(getattr(entry, name)) for name in texts}, "at": entry.at} for entry in entries]


def keep(context: Context, name: str, value: object, *, synced: bool = True) -> None:
    """Make ``value`` what the file ``name`` says. A full disk is logged and costs nothing else.

    Not ``synced``: it changes with every heal, which shall not wait for the disk once more. What a power cut
    leaves of it is not what the first run after the start has to say, so that it is written anew.
    """
    path = f"{context.layout.public}/{name}"
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    try:
        with open(path, "rb") as file:
            if file.read(MAX_BYTES) == data:
                return
    except OSError:
        pass  # not there yet, or not readable: written anew
    try:
        if len(data) > MAX_BYTES:
            raise BookbagError("too-large", f"cannot show {len(data)} bytes", place=path)
        durable.write(path, data, mode=0o644, synced=synced)
    except (OSError, BookbagError) as problem:
        context.log("warning", f"cannot write {path}: {problem}")


def cut(value: object) -> str:
    """A text of bounded length."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
