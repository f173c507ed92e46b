"""What a machine does with its hardware: the rules of kmod and logind, over both hosts."""

from __future__ import annotations

from dataclasses import dataclass

from agent.host.base import Files, Node
from agent.host.hardware import Hardware
from agent.host.services import Services

MODULES = "/etc/modprobe.d/zz-contract.conf"
LID = "/etc/systemd/logind.conf.d/zz-contract.conf"
LOGIND = "systemd-logind.service"


@dataclass(frozen=True)
class Wired:
    """A machine where nobody blocks the module of these checks, and logind does as it was made to."""

    hardware: Hardware
    services: Services
    files: Files

    def put(self, path: str, text: str) -> None:
        """Write a file of configuration."""
        self.files.make_parents(path)
        self.files.write(path, Node("file", content=text.encode()))


def check_a_module_is_refused_where_a_file_says_so(machine: Wired) -> None:
    assert not machine.hardware.refuses("contract_module"), "the control"
    try:
        machine.put(MODULES, "install contract_module /bin/false\n")
        assert machine.hardware.refuses("contract_module")
        assert not machine.hardware.refuses("contract_mod") and not machine.hardware.refuses("module")
        machine.put(MODULES, "install contract_module /bin/true\n")
        assert not machine.hardware.refuses("contract_module")
    finally:
        machine.files.remove(MODULES)
    assert not machine.hardware.refuses("contract_module")


def check_the_power_button_does_what_logind_took_in(machine: Wired) -> None:
    assert machine.hardware.on_power_button() == "poweroff", "the control"
    try:
        machine.put(LID, "[Login]\nHandlePowerKey=ignore\n")
        machine.services.take_in(LOGIND)
        assert machine.hardware.on_power_button() == "ignore"
    finally:
        machine.files.remove(LID)
        machine.services.take_in(LOGIND)
    assert machine.hardware.on_power_button() == "poweroff"


def check_the_lid_does_what_logind_took_in(machine: Wired) -> None:
    assert machine.hardware.on_lid() == "suspend", "the control"
    try:
        machine.put(LID, "[Login]\nHandleLidSwitch=lock\n")
        machine.services.take_in(LOGIND)
        assert machine.hardware.on_lid() == "lock"
    finally:
        machine.files.remove(LID)
        machine.services.take_in(LOGIND)
    assert machine.hardware.on_lid() == "suspend"
