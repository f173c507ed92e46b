"""sudo of a real machine, asked itself: about a text before it is in place, and about each person after."""

from __future__ import annotations

from agent.host.processes import run

SUDO, VISUDO = "/usr/bin/sudo", "/usr/sbin/visudo"
SECONDS = 20.0
#: Whoever may run this as root may run anything.
ANYTHING = "/bin/sh"


class LinuxSudo:
    """The programs ``sudo`` and ``visudo``."""

    def fault(self, text: str) -> str:
        ended = run((VISUDO, "--check", "--strict", "--file=-"), timeout=SECONDS, input=text.encode())
        return "" if ended.status == 0 else ended.complaint or f"visudo ended with {ended.status}"

    def allows(self, user: str) -> bool:
        argv = (SUDO, "--non-interactive", "--list", f"--other-user={user}", ANYTHING)
        return run(argv, timeout=SECONDS).status == 0
