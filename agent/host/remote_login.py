"""What may be asked of the machine's ssh server."""

from __future__ import annotations

from typing import Protocol

UNIT = "ssh.service"


class RemoteLogin(Protocol):
    """Only asks. What is configured is a matter of files; this is what came of them."""

    def says(self, user: str) -> dict[str, str] | None:
        """What the server decides for ``user``, coming from elsewhere: keyword of sshd_config(5) in small
        letters → value; several of one keyword one after the other, with spaces. None where it does not run.
        Raises ``not-supported`` where it cannot be asked.
        """
        ...
