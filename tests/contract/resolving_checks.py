"""Whom programs ask for names: the same of the laptop in a folder and of a real NetworkManager."""

from __future__ import annotations

from dataclasses import dataclass

from agent.host.base import Files, Node
from agent.host.network import Resolving
from agent.host.services import Services

UNIT = "NetworkManager.service"
FOLDER = "/etc/NetworkManager/conf.d"


@dataclass(frozen=True)
class Asking:
    """A machine on which NetworkManager runs, and nobody decided whom it asks."""

    resolving: Resolving
    services: Services
    files: Files

    def say(self, name: str, servers: str, search: str = "") -> None:
        """Write a file of NetworkManager's, and have it read."""
        path = f"{FOLDER}/{name}.conf"
        text = f"[global-dns]\nsearches={search}\n\n[global-dns-domain-*]\nservers={servers}\n"
        self.files.make_parents(path)
        self.files.write(path, Node("file", 0o644, content=text.encode()))
        self.services.take_in(UNIT)

    def forget(self, name: str) -> None:
        """Remove that file, and have that read."""
        self.files.remove(f"{FOLDER}/{name}.conf")
        self.services.take_in(UNIT)


def check_programs_ask_whom_networkmanager_took_in(machine: Asking) -> None:
    before = machine.resolving.servers()
    assert "192.0.2.1" not in before
    machine.say("50-contract", "192.0.2.1,2001:db8::9", "north.example,lab.north.example")
    assert machine.resolving.servers() == ("192.0.2.1", "2001:db8::9")
    assert machine.resolving.searches()[:2] == ("north.example", "lab.north.example")
    machine.forget("50-contract")
    assert machine.resolving.servers() == before
    assert "north.example" not in machine.resolving.searches()


def check_the_last_file_has_the_last_word_on_names(machine: Asking) -> None:
    machine.say("50-contract", "192.0.2.1", "north.example")
    machine.say("60-contract", "192.0.2.2")
    assert machine.resolving.servers() == ("192.0.2.2",)
    machine.forget("60-contract")
    assert machine.resolving.servers() == ("192.0.2.1",)
    machine.forget("50-contract")


def check_no_more_than_three_are_asked_for_names(machine: Asking) -> None:
    machine.say("50-contract", "192.0.2.4,192.0.2.3,192.0.2.2,192.0.2.1")
    assert machine.resolving.servers() == ("192.0.2.4", "192.0.2.3", "192.0.2.2")
    machine.forget("50-contract")
