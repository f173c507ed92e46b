"""What can go wrong in the lab, as opposed to in the thing under test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class LabError(Exception):
    """The lab itself could not do what a test asked of it."""


class CommandFailed(LabError):
    """A command ended with another exit code than 0; ``returncode`` is below 0 for a signal."""

    def __init__(self, argv: Sequence[str], returncode: int, stdout: str = "", stderr: str = "") -> None:
        self.argv = list(argv)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        said = (
            "\n".join(part for part in (last_lines(stdout), last_lines(stderr)) if part)
            or "(it said nothing)"
        )
        super().__init__(f"cannot run {' '.join(argv)}: exit code {returncode}\n{said}")


class TimedOut(LabError):
    """Something did not happen within its time."""


def last_lines(text: str | Path, count: int = 30) -> str:
    """The last ``count`` lines of a text, or of a file that may not be there."""
    if isinstance(text, Path):
        try:
            text = text.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
    return "\n".join(text.rstrip().splitlines()[-count:])
