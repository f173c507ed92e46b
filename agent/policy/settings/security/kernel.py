"""security.kernel: switches of the kernel that keep one program from the secrets of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from agent.policy.bases.graded import Graded
from agent.policy.bases.resource import Resource
from agent.policy.resources.sysctl import Sysctl

ANY, USUAL, STRICT = "any", "usual", "strict"
#: What the Kernel Self-Protection Project recommends, and what Debian, systemd or Ubuntu have from the start;
#: none of them keeps a program of a school's from working, and each can be set back without a restart.
_USUAL: Final[Mapping[str, str]] = {
    "kernel.dmesg_restrict": "1",
    "kernel.kptr_restrict": "1",
    "kernel.unprivileged_bpf_disabled": "2",
    "kernel.yama.ptrace_scope": "1",
    "kernel.randomize_va_space": "2",
    "fs.protected_fifos": "1",
    "fs.protected_hardlinks": "1",
    "fs.protected_regular": "2",
    "fs.protected_symlinks": "1",
    "fs.suid_dumpable": "0",
    "net.ipv4.conf.all.rp_filter": "2",
    "net.ipv4.conf.all.accept_redirects": "0",
    "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.all.secure_redirects": "0",
    "net.ipv4.conf.default.secure_redirects": "0",
    "net.ipv4.conf.all.send_redirects": "0",
    "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0",
}
#: Of the same project, and the price is that debuggers and profilers are root's.
_STRICT: Final[Mapping[str, str]] = {
    **_USUAL,
    "kernel.kptr_restrict": "2",
    "kernel.yama.ptrace_scope": "2",
    "kernel.perf_event_paranoid": "3",
    "fs.protected_fifos": "2",
    "net.core.bpf_jit_harden": "2",
    "dev.tty.ldisc_autoload": "0",
}
LEVELS: Final[Mapping[str, Mapping[str, str]]] = {ANY: {}, USUAL: _USUAL, STRICT: _STRICT}


class SecurityKernel(Graded):
    """What only a restart takes back is not among them, nor what belongs to a lock (SysRq)."""

    key: ClassVar[str] = "security.kernel"
    about: ClassVar[str] = (
        "Switches of the kernel, as the Kernel Self-Protection Project recommends them: `usual` hides the "
        "kernel's addresses and messages, lets a program look only into those that it started itself, guards "
        "links and pipes in folders that all may write to, and takes no route from who is in the same "
        "network (IPv4); `strict` keeps debuggers and profilers from everybody but root as well, which is "
        "none of a lesson in programming. Each switch is read back; one that the kernel does not have is not "
        "supported. Each is set to these values also where somebody chose a stricter one by hand."
    )
    words: ClassVar[tuple[str, ...]] = tuple(LEVELS)
    powers: ClassVar[str] = "the kernel's switches can let code run as root"
    why: ClassVar[Mapping[str, str]] = {
        "en": "A program that was broken into cannot read what your other programs know.",
        "ar": "لا يستطيع برنامج اختُرق أن يقرأ ما تعرفه برامجك الأخرى.",
    }
    example: ClassVar[str] = "security.kernel: usual"

    def compile(self, value: object) -> tuple[Resource, ...]:
        return tuple(Sysctl(switch, to) for switch, to in LEVELS[str(value)].items())
