"""How the apt of a real machine is set: ``apt-config`` merges its files as apt does."""

from __future__ import annotations

import re

from agent.core.errors import BookbagError
from agent.host.processes import run

PROGRAM = "/usr/bin/apt-config"
SECONDS = 20.0
_LINE = re.compile(r'([^\s"]+?)(?:::)? "(.*)";')


class LinuxApt:
    """``apt-config``."""

    def setting(self, name: str) -> tuple[str, ...]:
        ended = run((PROGRAM, "dump", "--no-empty"), timeout=SECONDS)
        if ended.status != 0:
            raise BookbagError("not-effective", f"cannot ask apt: {ended.complaint}")
        lines = (_LINE.fullmatch(line) for line in ended.text.splitlines())
        # Its names know no case.
        return tuple(line[2] for line in lines if line and line[1].lower() == name.lower())
