"""Which returns the service takes: enrolments with a live token, and receipts of laptops that the site
knows."""

from __future__ import annotations

from collections.abc import Callable

from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.fleet.installations import Installations
from agent.trust.enrolment import RETURN_PREFIX as ENROL
from agent.trust.identity import mailbox_name
from agent.trust.receipts import RETURN_PREFIX as RECEIPT


class Expected:
    """Asked for each upload. Everything else is refused, or a stranger could fill the box with what nobody
    fetches."""

    def __init__(self, folder: Folder, now: Callable[[], int]) -> None:
        self._folder = folder
        self._now = now
        self._mailboxes = Installations(folder, mailbox_name)

    def __call__(self, name: str) -> bool:
        """Whether a return called ``name`` is one to take."""
        if name.startswith(RECEIPT):
            mailbox, dash, number = name.removeprefix(RECEIPT).partition("-")
            return bool(dash and number) and mailbox in self._mailboxes.known()
        if not name.startswith(ENROL):
            return False
        try:
            token = self._folder.token(name.removeprefix(ENROL))
        except BookbagError:
            return False
        return self._now() < token.expires
