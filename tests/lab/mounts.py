"""Layers of a disk as one folder (overlayfs), and removal of folders that may have mounts in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.lab import programs
from tests.lab.errors import LabError


def below(folder: Path) -> list[Path]:
    """Mount points at or below a folder, the deepest first."""
    top = os.path.realpath(folder)
    found: list[Path] = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        where = line.split()[1].encode().decode("unicode_escape")
        if where == top or where.startswith(f"{top}/"):
            found.append(Path(where))
    return sorted(found, reverse=True)


def overlay(lower: Sequence[Path], upper: Path, work: Path, at: Path) -> None:
    """Mount the layers ``lower`` (topmost first) with changes going to ``upper``. Raises `CommandFailed`.

    ``upper`` and ``work`` lie on one real file system or tmpfs, never themselves on an overlay.
    """
    for folder in (upper, work, at):
        folder.mkdir(parents=True, exist_ok=True)
        if set(":,\\") & set(str(folder)):
            raise LabError(
                f"cannot mount layers in {folder}: choose a path without colon, comma and backslash"
            )
    layers = ":".join(str(layer) for layer in lower)
    options = f"lowerdir={layers},upperdir={upper},workdir={work}"
    programs.run(["mount", "-t", "overlay", "overlay", "-o", options, str(at)])


def unmount(folder: Path) -> None:
    """Unmount everything at and below a folder. Raises `LabError` when something stays mounted."""
    for where in below(folder):
        programs.run(["umount", "--lazy", str(where)], check=False)
    if left := below(folder):
        raise LabError(f"cannot unmount {', '.join(map(str, left))}")


def remove(folder: Path) -> None:
    """Unmount what is in a folder and remove it, so that no other file system is ever touched."""
    if folder.exists():
        unmount(folder)
        shutil.rmtree(folder)
