"""The cheap look: most events mean nothing, so an audit first asks whether every file is as it should be, and
imports little to do so.

What that needs to know is in two small files of root's, written after the compiled policy: a pointer (here)
and the checklist of `agent.policy.enforcement.audit`. Without them, or while anything is unusual, the full
audit answers.
"""

from __future__ import annotations

import os

from agent import __version__
from agent.policy.enforcement.audit import suspects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.core.layout import Layout

_HEADER = "bookbag-lean 1"


def checklist_path(layout: Layout) -> str:
    """Where the checklist lies."""
    return f"{layout.state}/checklist"


def mirror_seen(layout: Layout) -> str:
    """Tells one state of the mirror from another without reading it; "" if there is none."""
    try:
        found = os.lstat(f"{layout.mirror}/metadata/timestamp.json")
    except OSError:
        return ""
    return f"{found.st_ino}.{found.st_size}.{found.st_mtime_ns}"


def look(layout: Layout) -> list[str] | None:
    """What is not as it should be, for `Engine.audit`; [] if all is well; None if only a full audit
    can tell.
    """
    if os.path.lexists(layout.state_file("pause")):
        return None
    try:
        with open(f"{layout.state}/lean", encoding="utf-8") as file:
            header, program, fingerprint, seen, end = file.read(1000).split("\n")
    except (OSError, ValueError):
        return None
    if (header, program, end) != (_HEADER, __version__, "") or mirror_seen(layout) not in ("", seen):
        return None
    return suspects(checklist_path(layout), fingerprint, layout.root)


def checklist_is_for(layout: Layout, fingerprint: str) -> bool:
    """Whether the checklist there is was made for this policy."""
    try:
        with open(checklist_path(layout), encoding="utf-8") as file:
            return file.readline(200).split()[-1:] == [fingerprint]
    except (OSError, UnicodeDecodeError):
        return False


def point(layout: Layout, fingerprint: str, seen: str) -> None:
    """Say that the checklist of ``fingerprint`` is what counts, and which mirror it came from, unless that is
    said already.
    """
    from agent.core import durable

    path = f"{layout.state}/lean"
    text = f"{_HEADER}\n{__version__}\n{fingerprint}\n{seen}\n".encode()
    try:
        with open(path, "rb") as file:
            if file.read(1000) == text:
                return
    except OSError:
        pass  # none yet, or it cannot be read: written anew
    durable.write(path, text)
