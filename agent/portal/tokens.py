"""What cannot be guessed: a token in each form, and a path for each item and each student on the content
origin.

Both are made from one secret of the portal's and who they are for, so nothing has to be remembered, and a
page that was opened before the portal went to sleep still works after it woke up.
"""

from __future__ import annotations

import hmac
import os

from agent.core.errors import BookbagError
from agent.portal.people import Who
from agent.store import atomic

_BYTES = 32


class Tokens:
    """Makes and checks them."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def open(cls, path: str) -> Tokens:
        """With the secret in ``path``, made if it is not there. A damaged one, or a disk that takes none,
        gives a secret that lasts as long as this process."""
        try:
            kept = atomic.read(path, max_bytes=_BYTES)
            if kept is not None and len(kept) == _BYTES:
                return cls(kept)
            fresh = os.urandom(_BYTES)
            atomic.write(path, fresh, mode=0o600)
        except BookbagError:
            fresh = os.urandom(_BYTES)
        return cls(fresh)

    def form(self, who: Who) -> str:
        """The token that ``who``'s forms carry."""
        return self._made("form", who.key)

    def is_form(self, who: Who, token: str) -> bool:
        """Whether ``token`` is of a form that ``who`` was given."""
        return hmac.compare_digest(self.form(who).encode(), token.encode("utf-8", "replace"))

    def place(self, who: Who, item: str) -> str:
        """The part of a content path that only ``who`` was told, for ``item``."""
        return self._made("place", who.key, item)

    def is_place(self, who: Who, item: str, place: str) -> bool:
        """Whether ``place`` was told to ``who`` for ``item``."""
        return hmac.compare_digest(self.place(who, item).encode(), place.encode("utf-8", "replace"))

    def _made(self, *parts: str) -> str:
        return hmac.digest(self._secret, "\0".join(parts).encode(), "sha256")[:16].hex()
