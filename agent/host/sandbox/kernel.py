"""The kernel of the laptop in a folder: a few switches, noted in DIR/.sandbox/kernel.json."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.host.kernel import check_switch, check_value
from agent.host.sandbox.notes import Notes

#: What a new laptop has.
BOOTED = {
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "0",
    "kernel.yama.ptrace_scope": "0",
    "net.ipv4.conf.all.rp_filter": "2",
    "net.ipv4.ip_forward": "0",
    "net.ipv4.ping_group_range": "0 2147483647",
    "vm.swappiness": "60",
}


class SandboxKernel:
    """``notes`` has what was set since."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def value(self, switch: str) -> str | None:
        check_switch(switch)
        found = self._notes.read().get(switch, BOOTED.get(switch))
        return None if found is None else str(found)

    def set(self, switch: str, value: str) -> None:
        check_value(value)
        if self.value(switch) is None or not value.replace(" ", "").isdigit():
            raise BookbagError(
                "not-effective", f"cannot set {switch} to {value}: the kernel does not take it"
            )
        self._notes.put(switch, value)
