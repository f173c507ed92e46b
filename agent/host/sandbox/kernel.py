"""The kernel of the laptop in a folder: a few switches, noted in DIR/.sandbox/kernel.json."""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.host.kernel import check_switch, check_value
from agent.host.sandbox.notes import Notes

#: What a new laptop has.
BOOTED = {
    "dev.tty.ldisc_autoload": "1",
    "fs.protected_fifos": "1",
    "fs.protected_hardlinks": "1",
    "fs.protected_regular": "2",
    "fs.protected_symlinks": "1",
    "fs.suid_dumpable": "0",
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "0",
    "kernel.perf_event_paranoid": "3",
    "kernel.randomize_va_space": "2",
    "kernel.unprivileged_bpf_disabled": "2",
    "kernel.yama.ptrace_scope": "0",
    "net.core.bpf_jit_harden": "0",
    "net.ipv4.conf.all.accept_redirects": "1",
    "net.ipv4.conf.all.accept_source_route": "0",
    "net.ipv4.conf.all.rp_filter": "2",
    "net.ipv4.conf.all.secure_redirects": "1",
    "net.ipv4.conf.all.send_redirects": "1",
    "net.ipv4.conf.default.accept_redirects": "1",
    "net.ipv4.conf.default.secure_redirects": "1",
    "net.ipv4.conf.default.send_redirects": "1",
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
