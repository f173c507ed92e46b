"""Which laptop an installation id or a mailbox means: computed from the devices' records, which only the desk
has."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.trust.identity import installation_id

LOOK_EVERY = 5.0  #: seconds between two looks at the folder


class Installations:
    """Installation (or what else ``of`` makes of site and device) → laptop's name, for laptops that a person
    has assigned. The folder reads no file again that did not change: a school has thousands of them.
    """

    def __init__(self, folder: Folder, of: Callable[[str, str], str] = installation_id) -> None:
        self._folder = folder
        self._of = of
        self._site = folder.site().site
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
        known: dict[str, str] = {}
        try:
            names = self._folder.stems("devices")
        except (BookbagError, OSError):
            return  # what was known stays known: an edit must not cost a laptop its reports
        for name in names:
            try:
                record = self._folder.device(name)
            except BookbagError:
                continue  # `check` names what is wrong with it
            if record.device is not None and record.state == "assigned":
                known[self._of(self._site, record.device)] = name
        self._known = known
