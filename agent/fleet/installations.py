"""Which laptop an installation id or a mailbox means: computed from the devices' records, which only the desk
has."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from agent.core.errors import BookbagError
from agent.fleet.folder import MOST_FILES, Folder
from agent.trust.identity import installation_id

LOOK_EVERY = 5.0  #: seconds between two looks at the folder


class Installations:
    """Installation (or what else ``of`` makes of site and device) → laptop's name, for laptops that a person
    has assigned. Files that did not change are not read again: a school has thousands of them.
    """

    def __init__(self, folder: Folder, of: Callable[[str, str], str] = installation_id) -> None:
        self._folder = folder
        self._of = of
        self._site = folder.site().site
        self._seen: dict[
            str, tuple[tuple[int, ...], str]
        ] = {}  #: file → its stamp, and the installation ("": none)
        self._known: dict[str, str] = {}
        self._looked = float("-inf")

    def known(self) -> dict[str, str]:
        """As of now, or of a few seconds ago."""
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY:
            self._look()
            self._looked = now
        return self._known

    def _look(self) -> None:
        seen: dict[str, tuple[tuple[int, ...], str]] = {}
        for name, stamp in self._files():
            before = self._seen.get(name)
            seen[name] = before if before and before[0] == stamp else (stamp, self._read(name))
        self._seen = seen
        self._known = {one: name.removesuffix(".yaml") for name, (_, one) in seen.items() if one}

    def _files(self) -> list[tuple[str, tuple[int, ...]]]:
        found: list[tuple[str, tuple[int, ...]]] = []
        try:
            with os.scandir(self._folder.root / "devices") as entries:
                for entry in entries:
                    if entry.name.endswith(".yaml") and not entry.name.startswith("."):
                        status = entry.stat(follow_symlinks=False)
                        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
                        found.append((entry.name, stamp))
                    if len(found) > MOST_FILES:
                        break
        except OSError:
            return []
        return found

    def _read(self, name: str) -> str:
        try:
            record = self._folder.device(name.removesuffix(".yaml"))
        except BookbagError:
            return ""  # `check` names what is wrong with it
        if record.device is None or record.state != "assigned":
            return ""
        return self._of(self._site, record.device)
