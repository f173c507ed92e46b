"""Laptops whose clock is wrong, for chosen services: a real change would move the clock of the machine as
well.

`clock_shift.c` says how: it shifts the wall clock alone, intervals and sleeps stay true.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from tests.lab.guest import Guest

#: Where the image has the compiled shift.
LIBRARY = "/usr/lib/lab/clock_shift.so"


def set_fake_time(laptop: Guest, unit: str, when: str | None) -> None:
    """From now on ``unit`` reads ``when`` (``2026-01-31 08:00:00``, UTC) on the wall clock, running on from
    there.

    A unit that runs has to be restarted the first time; later changes reach it within a fifth of a second.
    None is the true clock. It lasts through restarts of the laptop. For the instances of a template name
    ``sync@.service``.
    """
    file = _shift_file(laptop, unit, when)
    dropin = f"/etc/systemd/system/{unit}.d/90-lab-clock.conf"
    # A small compiler made the library: it asks for an executable stack, as nothing of the project does.
    text = (
        f'[Service]\nEnvironment="LD_PRELOAD={LIBRARY}" "LAB_CLOCK_SHIFT={file}"\nMemoryDenyWriteExecute=no\n'
    )
    if not laptop.exists(dropin) or laptop.read(dropin) != text:
        laptop.write(dropin, text)
        if laptop.init_pid is not None:
            laptop.run(["systemctl", "daemon-reload"])


def at(laptop: Guest, when: str) -> dict[str, str]:
    """An environment for commands: ``laptop.run(["date"], env=clock.at(laptop, "2031-01-01 00:00:00"))``."""
    return {"LD_PRELOAD": LIBRARY, "LAB_CLOCK_SHIFT": _shift_file(laptop, f"command-{when}", when)}


def _shift_file(laptop: Guest, name: str, when: str | None) -> str:
    """Write how many seconds the clock is off; the file's place in the laptop."""
    file = f"/etc/lab-clock/{name.replace(' ', '-')}"
    off = 0.0 if when is None else seconds(when) - time.time()
    laptop.write(file, f"{off:+.3f}\n")
    return file


def seconds(when: str) -> float:
    """Unix time of a moment written as ``2026-01-31 08:00:00``, in UTC. Raises ValueError."""
    return datetime.strptime(when, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
