"""When each laptop last returned a receipt, as whoever carries them sees it: a sealed box that the laptop
signed. That it answered is known here; what it answered, at the desk."""

from __future__ import annotations

import os
from contextlib import suppress

from agent.core import returns


class Heard:
    """By mailbox, unix seconds. Begins with what still waits for the desk; only returns whose signature held
    are noted, so there are no more than the site has laptops."""

    def __init__(self, folder: str) -> None:
        """``folder``: where returns wait."""
        self._at: dict[str, int] = {}
        with suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                if returns.number_of(entry.name) and entry.is_file(follow_symlinks=False):
                    self.note(entry.name, int(entry.stat(follow_symlinks=False).st_mtime))

    def note(self, name: str, at: int) -> None:
        """A return called ``name`` came and was believed."""
        if returns.number_of(name):
            mailbox = returns.mailbox_of(name)
            self._at[mailbox] = max(at, self._at.get(mailbox, 0))

    def last(self, mailbox: str) -> int:
        """When its laptop was last heard of; 0: not that it is known here."""
        return self._at.get(mailbox, 0)
