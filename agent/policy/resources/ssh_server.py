"""ssh-server: who gets in by ssh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from agent.host.base import Host
from agent.host.lacking import need
from agent.host.remote_login import UNIT
from agent.policy.bases.fragment import Fragment

#: What a school says → what sshd calls it. Where no word of ours stands, the machine's own rules hold.
RULES: Final[Mapping[str, Mapping[str, str]]] = {
    "any": {},
    "keys": {"PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no"},
    "nobody": {"PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no", "DenyUsers": "*"},
}
_MOST_ASKED = 3


@dataclass(frozen=True, slots=True)
class SshServer(Fragment):
    """One drop-in, read before all others, for of two values the first counts. The server is asked what it
    would do with each of some persons, and with root: later rules for one of them (`Match`) have more say.
    """

    kind: ClassVar[str] = "ssh-server"
    sole: ClassVar[str] = "sshd"
    about: ClassVar[str] = "Who gets in by ssh."
    needs: ClassVar[tuple[str, ...]] = ("services", "remote_login")
    risk: ClassVar[str] = "it decides who gets in from elsewhere"

    who: str = "any"

    @property
    def path(self) -> str:
        return "/etc/ssh/sshd_config.d/00-bookbag.conf"

    def units(self) -> tuple[str, ...]:
        return (UNIT,)

    def lacking(self, host: Host) -> str:
        del host  # a server that is not there lets nobody in, and one that comes later reads the file
        return ""

    def text(self) -> str:
        rules = RULES.get(self.who, {})
        return "".join(f"{name} {value}\n" for name, value in rules.items()) or "# Bookbag: allowed.\n"

    def problem(self, host: Host) -> str:
        return next(self._problems(host), "")

    def watches(self) -> tuple[str, ...]:
        return ("/etc/ssh/sshd_config.d", "/etc/ssh/sshd_config")

    def _problems(self, host: Host) -> Iterator[str]:
        ssh = need(host.remote_login, "remote_login")
        rules = RULES.get(self.who, {})
        for user in ("root", *host.facts.users()[:_MOST_ASKED]) if rules else ():
            says = ssh.says(user)
            if says is None:
                return
            for name, value in rules.items():
                found = says.get(name.lower(), "")
                if value not in found.split():
                    yield f"for {user} the ssh server has {name} {found or 'not set'}"
