"""People at a laptop: sessions opened through PAM and logind, as a login manager opens them."""

from __future__ import annotations

from tests.lab.errors import LabError
from tests.lab.guest import Guest


def log_in(laptop: Guest, user: str, timeout: float = 15) -> str:
    """Open a session for ``user`` on the laptop's seat and return its number, as `loginctl` knows it.

    The session bus runs afterwards, so `Guest.run` as that user reaches it (gsettings, systemctl --user).
    Raises `LabError` when PAM refuses, with what PAM said.
    """
    unit = unit_of(user)
    settings = (f"User={user}", "PAMName=login", "Environment=XDG_SESSION_CLASS=user XDG_SESSION_TYPE=tty")
    run = ["systemd-run", "--quiet", f"--unit={unit}", *(f"--property={setting}" for setting in settings)]
    laptop.run(["systemctl", "reset-failed", unit], check=False)
    laptop.run([*run, "sleep", "infinity"])
    bus = f"/run/user/{laptop.account(user)[0]}/bus"

    def settled() -> bool:
        return _failed(laptop, unit) or (bool(sessions(laptop, user)) and laptop.exists(bus))

    laptop.wait_until(settled, timeout, f"a session of {user}", unit=unit)
    if _failed(laptop, unit):
        raise LabError(f"{user} cannot log in to {laptop.name}\n{laptop.journal(unit=unit, lines=10)}")
    return sessions(laptop, user)[0]


def log_out(laptop: Guest, user: str) -> None:
    """End the session of `log_in`, if it still runs, and their services: left alone these go ten seconds
    later, from under whatever is started as that person next.
    """
    services = f"user@{laptop.account(user)[0]}.service"
    laptop.run(["systemctl", "stop", unit_of(user), services], check=False)


def sessions(laptop: Guest, user: str) -> list[str]:
    """Numbers of the sessions that logind knows for ``user``."""
    lines = laptop.run(["loginctl", "list-sessions", "--no-legend"]).stdout.splitlines()
    return [fields[0] for fields in map(str.split, lines) if len(fields) > 2 and fields[2] == user]


def unit_of(user: str) -> str:
    """The unit that `log_in` runs a person's session in."""
    return f"lab-session-{user}.service"


def _failed(laptop: Guest, unit: str) -> bool:
    return laptop.run(["systemctl", "is-failed", "--quiet", unit], check=False).returncode == 0
