"""Which returns are taken, whoever carries them: enrolments with a live token, and receipts and requests that
a laptop of the site signed.

The service and the stick ask here before anything is stored. What a token's name is worth: 128 random bits
that only the enrol file and the desk know. A mailbox's name is public, so these must be signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from agent.core import returns
from agent.core.errors import BookbagError
from agent.fleet import asks, receipts
from agent.fleet.folder import Folder
from agent.fleet.installations import Installations
from agent.fleet.records import DeviceRecord
from agent.fleet.refused import was_refused
from agent.trust import returned
from agent.trust.identity import mailbox_name
from agent.trust.keys import PublicKey


class Expected:
    """Asked for each return. Everything else is refused, or a stranger could fill the box with what nobody
    fetches, and take the place of what is still to come."""

    def __init__(self, folder: Folder, now: Callable[[], int]) -> None:
        self._folder = folder
        self._now = now
        self._mailboxes = Installations(folder, mailbox_name)

    def expects(self, name: str) -> bool:
        """Whether a return called ``name`` is one to look at."""
        if returns.mailbox_of(name):
            return self._sender(name) is not None
        if not returns.NAME.match(name):
            return False
        token = name.removeprefix(returns.ENROL)
        try:
            return self._folder.has_token(token) and self._now() < self._folder.token(token).expires
        except BookbagError:
            return False  # `check` names what is wrong with it

    def require(self, name: str) -> None:
        """Raises ``not-found`` for one that is not."""
        if not self.expects(name):
            raise BookbagError("not-found", "cannot take this return: nobody expects it", place=name)

    def is_new(self, name: str, data: bytes) -> bool:
        """Whether ``data`` is to be stored; False if the desk has dealt with exactly this.

        Raises ``not-found`` (nobody expects it), ``bad-envelope``, ``bad-signature`` (a receipt that its
        laptop did not send), ``already-done`` (the desk has dealt with another one of that name).
        """
        self.require(name)
        record = self._sender(name)
        if record is None or record.sign_key is None:
            return True  # an enrolment: what it proves, it proves to the desk
        returned.unwrap(data, name, PublicKey.from_hex(record.sign_key))
        if was_refused(self._folder, name, data):
            return False  # and was told of
        if returns.ask_of(name):
            return asks.is_new(self._folder, record, name, data)
        return receipts.is_new(self._folder, record, name, hashlib.sha256(data).hexdigest())

    def _sender(self, name: str) -> DeviceRecord | None:
        """The laptop whose receipt or request would go by that name."""
        laptop = self._mailboxes.known().get(returns.mailbox_of(name))
        if laptop is None:
            return None
        try:
            record = self._folder.device(laptop)
        except BookbagError:
            return None  # `check` names what is wrong with it
        return record if record.sign_key is not None else None
