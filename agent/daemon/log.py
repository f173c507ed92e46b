"""JSON lines on stderr, for journald. ``t`` is seconds since boot: the wall clock may be wrong, and journald
adds its own.
"""

from __future__ import annotations

import json
import os

from agent.daemon.loop import boottime

#: No message is longer, whatever a worker or a peer made of it.
LONGEST = 2000


class Log:
    """Writes one line per event to ``fd``. A full or closed log never stops the agent."""

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd

    def write(self, level: str, event: str, **fields: str | int) -> None:
        """``level`` is debug, info, warning or error; ``fields`` are worker, run, subject, code, msg."""
        line: dict[str, str | int | float] = {"t": round(boottime(), 3), "level": level, "event": event}
        for name, value in fields.items():
            line[name] = value[:LONGEST] if isinstance(value, str) else value
        try:  # noqa: SIM105  # contextlib stays out of the resident
            os.write(self._fd, json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        except OSError:
            pass

    def defect(self, defect: BaseException) -> None:
        """A callback failed in a way nobody foresaw: say where, and go on."""
        where = ""
        frame = defect.__traceback__
        while frame is not None:
            where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
            frame = frame.tb_next
        self.write("error", "defect", code="internal", msg=f"{type(defect).__name__}: {defect} at {where}")
