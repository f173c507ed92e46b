"""What a machine was made or set up to be, which nothing here can make it: only seen, or not."""

from __future__ import annotations

from typing import Final, Protocol

from agent.core.errors import BookbagError

DISK: Final = "disk-encryption"
SECURE_BOOT: Final = "secure-boot"
LOADER: Final = "boot-password"
KNOWN: Final = (DISK, SECURE_BOOT, LOADER)


class Assurances(Protocol):
    """Only looks."""

    def lacks(self, what: str) -> str:
        """Why the machine was not seen to have ``what``, a word of `KNOWN`, to follow the name of it; "" if
        it was seen to. Raises ``bad-path`` for another word.
        """
        ...


def check_known(what: str) -> None:
    """Raise ``bad-path`` for what is no word of `KNOWN`."""
    if what not in KNOWN:
        raise BookbagError("bad-path", f"cannot look for {what[:60]!r}: nobody knows what that is")
