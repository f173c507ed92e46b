"""login-gate: nobody but the system's own users passes the account stage of PAM.

The stage is asked by every way in: passwords, SSH keys, fingerprints, automatic login, su, sudo, cron jobs,
screen lockers. A profile that the installer enables once (installer/pam-configs) makes it read one file of
ours; locking replaces that file and changes nothing else (docs/adr has the reasons).
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.core.model import State
from agent.host.base import Files, Node
from agent.host.locking.ports import Logins
from agent.host.recorded import put_back, record

#: Beside PAM's own files, where programs that AppArmor confines may read it as well.
PATH = "/etc/security/bookbag-login.conf"
_HEAD = "# Bookbag: who may log in, as pam_access(5) reads it. Without this file only system users may.\n"
OPEN = f"{_HEAD}+ : ALL : ALL\n".encode("ascii")
CLOSED = f"{_HEAD}# This laptop is locked.\n- : ALL : ALL\n".encode("ascii")


class LoginGate:
    """The gate's file, and whether logins ask it."""

    name = "login-gate"

    def __init__(self, files: Files, logins: Logins) -> None:
        self._files = files
        self._logins = logins

    def observe(self) -> State:
        """As `agent.host.base.LockLayer.observe`."""
        return record(self._files, PATH)

    def close(self) -> None:
        """As `agent.host.base.LockLayer.close`."""
        if fault := self._logins.fault():
            raise BookbagError(
                "not-supported", f"cannot close the login gate: {fault}", remedy="run the installer again"
            )
        self._files.make_parents(PATH)
        self._files.write(PATH, Node("file", 0o644, content=CLOSED))

    def closed(self) -> bool:
        """As `agent.host.base.LockLayer.closed`."""
        node = self._files.read(PATH, limit=1 << 16)
        denies = node is None or (node.kind == "file" and not lets_in(node.content))
        return denies and not self._logins.fault() and not self._logins.holes()

    def restore(self, prior: State) -> None:
        """As `agent.host.base.LockLayer.restore`."""
        put_back(self._files, prior)


def lets_in(content: bytes | None) -> bool:
    """Whether pam_access lets any person in by a gate file with ``content``; None: there is no file."""
    if content is None:
        return False
    for line in content.decode("utf-8", "replace").splitlines():
        rule = "".join(line.partition("#")[0].split())
        if rule.startswith("+"):  # whoever it is for: our own file has no exceptions
            return True
        if rule == "-:ALL:ALL":
            return False
    return True
