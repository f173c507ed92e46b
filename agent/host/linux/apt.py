"""How the apt of a real machine is set: its own programs are asked, for they merge its files as apt does.
Updates are installed by the units that Debian has for it.
"""

from __future__ import annotations

import os
import re

from agent.core.errors import BookbagError
from agent.host.processes import Ended, run

PROGRAM = "/usr/bin/apt-config"
_GET = "/usr/bin/apt-get"
SECONDS = 20.0
_MOST = 8 << 20
#: Touched by apt.systemd.daily when unattended-upgrade has ended well.
STAMP = "/var/lib/apt/periodic/upgrade-stamp"
#: What apt's timers start: the second comes after the first, and installs.
UNITS = ("apt-daily.service", "apt-daily-upgrade.service")
_LINE = re.compile(r'([^\s"]+?)(?:::)? "(.*)";')
_RELEASE = re.compile(r"^'([^'\n]+/InRelease)' ", re.MULTILINE)


class LinuxApt:
    """``apt-config``, and what ``apt-get update`` would fetch."""

    def setting(self, name: str) -> tuple[str, ...]:
        lines = (_LINE.fullmatch(line) for line in _ask(PROGRAM, "dump", "--no-empty").text.splitlines())
        # Its names know no case.
        return tuple(line[2] for line in lines if line and line[1].lower() == name.lower())

    def looks_for(self) -> frozenset[str]:
        return frozenset(_RELEASE.findall(_ask(_GET, "update", "--print-uris").text))

    def updated(self) -> int | None:
        try:
            return int(os.stat(STAMP).st_mtime)
        except OSError:
            return None

    def update(self) -> None:
        begin = ("/usr/bin/systemctl", "--no-pager", "--no-ask-password", "start", "--no-block", "--", *UNITS)
        ended = run(begin, timeout=SECONDS)
        if ended.status != 0:
            raise BookbagError("not-effective", f"cannot begin to install updates: {ended.complaint}")


def _ask(*argv: str) -> Ended:
    ended = run(argv, timeout=SECONDS, max_output=_MOST)
    if ended.status != 0:
        errors = ended.errors.decode("utf-8", errors="replace").splitlines()
        # Its first error says why; a key that stands within is long, and the second error says nothing.
        why = next((line.removeprefix("E: ")[:300] for line in errors if line.startswith("E: ")), "")
        raise BookbagError("not-effective", f"cannot ask apt: {why or ended.complaint}")
    return ended
