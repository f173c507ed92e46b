"""Hardware of a real machine: kmod's whole configuration, and logind's own answer over the bus."""

from __future__ import annotations

import re

from agent.core.errors import BookbagError
from agent.host.processes import run

MODPROBE = "/usr/sbin/modprobe"
SECONDS = 20.0
_MOST_BYTES = 16 << 20  #: with every alias of every module
_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")


class LinuxHardware:
    """``modprobe`` and ``busctl``, asked each time."""

    def refuses(self, module: str) -> bool:
        ended = run((MODPROBE, "--showconfig"), timeout=SECONDS, max_output=_MOST_BYTES)
        if ended.status != 0:
            raise BookbagError("not-supported", f"cannot ask what modprobe does: {ended.complaint}")
        return (
            re.search(rf"^install {re.escape(module)} /bin/false\s*$", ended.text, re.MULTILINE) is not None
        )

    def on_lid(self) -> str:
        return _logind("HandleLidSwitch", "the lid")

    def on_power_button(self) -> str:
        return _logind("HandlePowerKey", "the power button")


def _logind(name: str, what: str) -> str:
    ended = run(("busctl", "--system", "get-property", *_LOGIND, name), timeout=SECONDS)
    found = re.fullmatch(r's "([a-z-]+)"', ended.text.strip())
    if ended.status != 0 or found is None:
        raise BookbagError("not-supported", f"cannot ask logind about {what}: {ended.complaint}")
    return found[1]
