"""What somebody with the laptop in a folder in his hands can try, decided by nothing but what lies on its
disk.
"""

from __future__ import annotations

from agent.host.account_files import AccountFiles
from agent.host.locking.boot_target import LOCK
from agent.host.locking.login_gate import PATH, lets_in
from agent.host.sandbox import volumes
from agent.host.sandbox.laptop import open_parts

#: Way in → the units of which one must run for there to be such a way.
WAYS = {
    "screen": ("display-manager.service",),
    "console": ("getty@*.service",),
    "ssh": ("ssh.service",),
    "cron": ("cron.service",),
}


def log_in(folder: str, user: str = "student", way: str = "screen") -> str:
    """Try to log in; returns why not, "" if ``user`` is in (and then noted among the sessions)."""
    parts = open_parts(folder)
    if not parts.units.active(WAYS[way]):
        locked = " (the laptop is locked)" if parts.units.active((LOCK,)) else ""
        return f"nothing answers there{locked}"
    if user not in parts.facts.users():
        return f"no such user: {user}"
    account = AccountFiles(parts.files).find(user)
    if account is not None and account.closed:
        return "the account has expired"
    gate = parts.files.read(PATH)
    if not lets_in(None if gate is None else gate.content):
        return "access denied by the login gate"
    parts.people.log_in(user)
    return ""


def log_out(folder: str) -> None:
    """End every session, as their owners would."""
    open_parts(folder).people.end()


def restart(folder: str) -> None:
    """Switch the laptop off and on again: sessions end, and its units are what its default target says."""
    parts = open_parts(folder)
    parts.people.end()
    parts.units.restart()
    parts.console.restart(parts.files)


def open_volume(folder: str, passphrase: str, name: str = "") -> bytes | None:
    """The data in volume ``name`` (the first, if not named) if ``passphrase`` opens it, else None."""
    chosen = name or open_parts(folder).facts.volumes()[0]
    found = volumes.unlock(f"{folder}{chosen}", passphrase)
    return None if found is None else found.rstrip(b"\0")
