"""How the apt of the laptop in a folder is set: as much of its syntax as Bookbag writes and Debian ships."""

from __future__ import annotations

import re

from agent.host.base import Files

FOLDER = "/etc/apt/apt.conf.d"
_NAME = r"[A-Za-z][A-Za-z0-9:_-]*"
_TOKEN = re.compile(
    rf'#clear\s+({_NAME})\s*;|({_NAME})\s+"([^"]*)"\s*;|({_NAME})\s*\{{((?:"[^"]*"|[^}}"])*)\}}\s*;'
)
_VALUE = re.compile(r'"([^"]*)"\s*;')
_COMMENT = re.compile(r"^\s*(//.*|#(?!clear).*)$", re.MULTILINE)


class SandboxApt:
    """The files of /etc/apt/apt.conf.d, in order of their names."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def setting(self, name: str) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        for file in self._files.names(FOLDER) or ():
            node = self._files.read(f"{FOLDER}/{file}")
            text = node.content.decode(errors="replace") if node is not None and node.kind == "file" else ""
            for cleared, one, value, many, values in _TOKEN.findall(_COMMENT.sub("", text)):
                said = (cleared or one or many).removesuffix("::")
                if said.lower() != name.lower():
                    continue
                if cleared:
                    found = ()
                elif many or one.endswith("::"):
                    found += tuple(_VALUE.findall(values)) if many else (value,)
                else:
                    found = (value,)
        return found
