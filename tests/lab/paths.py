"""Paths of a laptop, resolved from outside without ever leaving the laptop."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.errors import LabError


def resolve(root: Path, inside: str) -> Path:
    """Where the file that a laptop calls ``inside`` lies for this machine; the last parts need not exist.

    Links are followed as the laptop would follow them: an absolute one starts at ``root`` again, and ``..``
    stops there. Raises `LabError` for a loop.
    """
    waiting = inside.split("/")[::-1]
    done: list[str] = []
    links = 0
    while waiting:
        part = waiting.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            del done[-1:]
            continue
        here = root.joinpath(*done, part)
        if not here.is_symlink():
            done.append(part)
            continue
        links += 1
        if links > 40:
            raise LabError(f"cannot resolve {inside}: its links lead in a circle")
        target = os.readlink(here)
        if target.startswith("/"):
            done.clear()
        waiting.extend(target.split("/")[::-1])
    return root.joinpath(*done)
