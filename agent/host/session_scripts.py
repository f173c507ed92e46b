"""The scripts that begin people's sessions, and the programs that they start.

Xsession(5) ends at the first command that fails, and the session with it: where 90gpg-agent cannot start
gpgconf, nobody logs in. So no program is closed that one of these names, as far as it is not known to look
first whether it can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.host.base import Files

_SCRIPTS = ("/etc/X11/Xsession", "/etc/gdm3/Xsession", "/usr/share/im-config/xinputrc.common")
_FOLDERS = ("/etc/X11/Xsession.d", "/etc/X11/xinit/xinitrc.d")
_MOST = 1 << 20  #: bytes of one
#: Asked for beforehand: ``if [ -x … ]``, ``if command -v …``.
_ASKED_FOR = frozenset(("flatpak", "numlockx", "ssh-agent", "xmessage"))
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


def session_script(files: Files, path: str) -> str:
    """Which of them names the program; "": none."""
    name = path.rpartition("/")[2]
    if name in _ASKED_FOR:
        return ""
    word = re.compile(rf"(?<![\w.+-]){re.escape(name)}(?![\w.+-])")
    return next((script for script, text in _texts(files) if word.search(text)), "")


def _texts(files: Files) -> Iterator[tuple[str, str]]:
    within = (f"{folder}/{name}" for folder in _FOLDERS for name in files.names(folder) or ())
    for script in (*_SCRIPTS, *within):
        node = files.read(script, limit=_MOST)
        if node is not None and node.kind == "file":
            yield script, _COMMENT.sub("", node.content.decode(errors="replace"))
