"""What the ssh server decides: over the laptop in a folder and over a real one."""

from __future__ import annotations

from dataclasses import dataclass

from agent.host.base import Files, Node
from agent.host.remote_login import UNIT, RemoteLogin
from agent.host.services import Services

FILE = "/etc/ssh/sshd_config.d/{}-contract.conf"


@dataclass(frozen=True)
class Reachable:
    """A machine on which the ssh server runs, as Debian has it."""

    login: RemoteLogin
    services: Services
    files: Files

    def put(self, name: str, text: str) -> None:
        """Write a file of its configuration, and have it read."""
        self.files.make_parents(FILE.format(name))
        self.files.write(FILE.format(name), Node("file", content=text.encode()))
        self.services.take_in(UNIT)

    def said(self, keyword: str) -> str:
        """What it decides for root."""
        found = self.login.says("root")
        assert found is not None
        return found.get(keyword, "")


def check_the_first_file_has_the_first_word_on_who_gets_in(machine: Reachable) -> None:
    assert machine.said("passwordauthentication") == "yes", "the control"
    try:
        machine.put("50", "PasswordAuthentication yes\nDenyUsers somebody\n")
        machine.put("40", "PasswordAuthentication no\nDenyUsers *\n")
        assert machine.said("passwordauthentication") == "no"
        assert set(machine.said("denyusers").split()) == {"*", "somebody"}
    finally:
        for name in ("40", "50"):
            machine.files.remove(FILE.format(name))
        machine.services.take_in(UNIT)
    assert machine.said("passwordauthentication") == "yes"


def check_a_server_that_does_not_run_decides_nothing(machine: Reachable) -> None:
    machine.services.set_active(UNIT, False)
    assert machine.login.says("root") is None
    machine.services.set_active(UNIT, True)
    assert machine.login.says("root") is not None
