"""Settings of a real machine's firmware: read in /sys, written by one transient unit of systemd each, for
whoever puts policy in force sees /sys read-only.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from agent.core import durable, jsontext
from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.host.firmware import MOST_BYTES, Kept
from agent.host.firmware_tree import FirmwareTree, Started
from agent.host.processes import run

SECONDS = 60.0  #: some firmware takes its time
#: What was done since the machine started; nobody else may read or write there.
STARTED = "/run/bookbag/firmware.json"
KEPT = "firmware.json"  #: beside the secrets
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ONCE = ("systemd-run", "--quiet", "--wait", "--collect", "--pipe", "--no-ask-password", "--setenv=LC_ALL=C")


def written_by_a_unit(path: str, data: bytes) -> str:
    """Write ``data`` to a file of the kernel's; why that failed, "" if it did not."""
    ended = run((*_ONCE, "--", "/usr/bin/tee", path), timeout=SECONDS, input=data)
    return "" if ended.status == 0 else ended.complaint or "the firmware does not take it"


class LinuxFirmware(FirmwareTree):
    """``root`` stands for / in tests, ``write`` writes one file and says why it could not."""

    def __init__(self, root: str = "", write: Callable[[str, bytes], str] = written_by_a_unit) -> None:
        self._root = root
        self._write = write
        self._kept = f"{Layout(root).secrets}/{KEPT}"

    def names(self, path: str) -> tuple[str, ...]:
        try:
            return tuple(os.listdir(self._root + path))
        except OSError:
            return ()

    def read(self, path: str) -> bytes | None:
        with suppress(OSError):
            fd = os.open(self._root + path, _READ)
            try:
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    return os.read(fd, MOST_BYTES + 1)
            finally:
                os.close(fd)
        return None

    def put(self, path: str, data: bytes) -> str:
        return self._write(self._root + path, data)

    def started(self) -> Started:
        said = self._object(STARTED)
        salt, tried = said.get("salt"), said.get("tried")
        given, shown, times = (said.get(one) for one in ("given", "shown", "times"))
        if not isinstance(salt, str) or not isinstance(given, dict) or not isinstance(tried, list):
            return Started()
        counted = times.items() if isinstance(times, dict) else ()
        return Started(
            salt,
            {str(one): str(value) for one, value in given.items()},
            {str(one): str(value) for one, value in shown.items()} if isinstance(shown, dict) else {},
            {str(one): count for one, count in counted if isinstance(count, int)},
            frozenset(map(str, tried)),
        )

    def remember(self, started: Started) -> None:
        said = {"v": 1, "salt": started.salt, "tried": sorted(started.tried)}
        said |= {"given": started.given, "shown": started.shown, "times": started.times}
        durable.write(self._root + STARTED, jsontext.canonical(said), synced=False)

    def kept(self) -> Kept | None:
        data = self.read(self._kept.removeprefix(self._root))
        if data is None:
            return None
        said = self._object(self._kept.removeprefix(self._root))
        current, coming = said.get("current"), said.get("coming")
        if not isinstance(current, str) or not isinstance(coming, str):
            raise BookbagError("state-corrupt", "cannot read the firmware's password", place=self._kept)
        return Kept(current, coming, said.get("proved") is True)

    def keep(self, kept: Kept | None) -> None:
        if kept is None:
            with suppress(FileNotFoundError):
                os.unlink(self._kept)
                durable.sync_directory(os.path.dirname(self._kept))
            return
        said = {"v": 1, "current": kept.current, "coming": kept.coming, "proved": kept.proved}
        durable.write(self._kept, jsontext.canonical(said))

    def _object(self, path: str) -> dict[str, object]:
        """What cannot be read counts as nothing."""
        with suppress(BookbagError):
            found = jsontext.parse(self.read(path) or b"", what=path)
            return found if isinstance(found, dict) else {}
        return {}
