"""Whose certificates the machine's programs believe."""

from __future__ import annotations

from typing import Protocol

#: Where an administrator puts certificates of authorities, as NAME.crt.
FOLDER = "/usr/local/share/ca-certificates"
TRUSTED = "/etc/ssl/certs"


class Certificates(Protocol):
    """The machine's list of authorities; browsers have lists of their own besides."""

    def update(self) -> None:
        """What lies in `FOLDER` now is believed, and what no longer does is not. Raises ``not-effective``."""
        ...

    def believes(self, path: str) -> bool:
        """Whether programs take the authority whose certificate is the file ``path`` for one of theirs."""
        ...
