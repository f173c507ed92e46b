"""default-applications: which program opens what, for everybody who chose no other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from agent.core.model import Power
from agent.policy.bases.onefile import OneFile

#: Desktops look here after a person's own list, and before those of the distribution.
PATH = "/etc/xdg/mimeapps.list"
PROGRAM = r"[A-Za-z0-9][A-Za-z0-9._-]*\.desktop"
_OPEN: Final = "application/vnd.oasis.opendocument"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
#: What people call it → the types it has. None of them is a program or a script.
USES: Final[Mapping[str, tuple[str, ...]]] = {
    "web": ("text/html", "application/xhtml+xml", "x-scheme-handler/http", "x-scheme-handler/https"),
    "mail": ("x-scheme-handler/mailto",),
    "pdf": ("application/pdf",),
    "pictures": ("image/jpeg", "image/png", "image/gif", "image/webp"),
    "films": ("video/mp4", "video/webm", "video/ogg", "video/x-matroska"),
    "sound": ("audio/mpeg", "audio/ogg", "audio/flac", "audio/mp4", "audio/x-wav"),
    "text": ("text/plain",),
    "documents": (f"{_OPEN}.text", f"{_OFFICE}.wordprocessingml.document", "application/msword"),
    "tables": (f"{_OPEN}.spreadsheet", f"{_OFFICE}.spreadsheetml.sheet", "application/vnd.ms-excel"),
    "slides": (
        f"{_OPEN}.presentation",
        f"{_OFFICE}.presentationml.presentation",
        "application/vnd.ms-powerpoint",
    ),
}


@dataclass(frozen=True, slots=True)
class DefaultApplications(OneFile):
    """The machine's own list of them, whole. ``programs``: use → desktop file."""

    kind: ClassVar[str] = "default-applications"
    sole: ClassVar[str] = "mimeapps"
    about: ClassVar[str] = "Which program opens what."
    place: ClassVar[str] = PATH

    programs: Mapping[str, str] = field(default_factory=dict)

    def power(self) -> tuple[Power, str]:
        odd = sorted(
            use for use, program in self.programs.items() if use not in USES or not _is_program(program)
        )
        return (Power.ROOT, f"{odd[0]} is not known to be harmless") if odd else (Power.ORDINARY, "")

    def text(self) -> str:
        lines = [f"{one}={program}\n" for use, program in self.programs.items() for one in USES[use]]
        return "".join(["[Default Applications]\n", *sorted(lines)])


def _is_program(name: str) -> bool:
    return re.fullmatch(PROGRAM, name) is not None
