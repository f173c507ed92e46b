"""Fetching packages' files, as a user without any right: one after the other, each with its hash, by apt's
own programs and so as apt is set (proxies, certificates). Nothing here is trusted by whoever installs.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress

from agent.core.errors import BookbagError
from agent.host.linux.apt_get import File, bare
from agent.host.linux.package_files import PackageFiles, read_list
from agent.host.processes import run

HELPER = "/usr/lib/apt/apt-helper"
#: Seconds after which what came is installed, before more is fetched: of several the smallest come first.
PART = 900.0
_FAST = 1 << 20  #: bytes a second, where it goes as fast as it can
_LEAST, _PER_BYTE = 300.0, 1 / 4000  #: seconds: a line that gives 4 kB/s is given up on


def fetch(place: str, rate: int) -> tuple[int, int, str]:
    """Fetch what is listed in ``place``, at most ``rate`` bytes a second (0: as fast as it goes). Gives how
    many came, how many are missing now, and why one of them is.
    """
    files = PackageFiles(place)
    came, missing, why = 0, 0, ""
    until = time.monotonic() + PART
    for one in sorted(read_list(files.list), key=lambda one: one.size):
        path = f"{files.fetched}/{one.name}"
        if _is_there(path, one):
            continue
        if came and time.monotonic() + one.size / (rate or _FAST) > until:
            missing, why = missing + 1, why or f"{one.name} comes after what came is installed"
            continue
        try:
            _fetch(one, path, rate)
            came += 1
        except BookbagError as error:
            missing, why = missing + 1, error.message
    return came, missing, why


def _fetch(file: File, path: str, rate: int) -> None:
    limits = [word for scheme in ("http", "https") for word in _limit(scheme, rate)] if rate else []
    # The size is told too: an answer may be far too long, and the disk is the student's.
    expected = (f"SHA256:{file.sha256}", f"Checksum-FileSize:{file.size}")
    command = (HELPER, *limits, "download-file", file.uri, path, *expected)
    ended = run(command, timeout=_LEAST + file.size * _PER_BYTE)
    if ended.status != 0 or not _is_there(path, file):
        for leftover in (path, f"{path}.FAILED"):
            with suppress(OSError):
                os.unlink(leftover)
        raise BookbagError("network", f"cannot fetch {file.name}: {bare(ended.complaint)}")


def _limit(scheme: str, rate: int) -> tuple[str, str]:
    return "-o", f"Acquire::{scheme}::Dl-Limit={max(1, rate // 1024)}"


def _is_there(path: str, file: File) -> bool:
    try:
        if os.path.islink(path) or os.path.getsize(path) != file.size:
            return False
        with open(path, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
    except OSError:
        return False
