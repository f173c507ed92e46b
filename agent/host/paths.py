"""Which texts are paths on a laptop: one spelling per place, nothing that climbs."""

from __future__ import annotations

import os

from agent.core.errors import BookbagError

MAX_BYTES = 4095  #: Linux's own limit for a whole path
MAX_NAME = 255  #: and for one name


def check_path(path: str) -> None:
    """Accept an absolute path of plain names; else BookbagError ``bad-path`` saying what is wrong with it."""
    # The common case, cheaply: a thousand paths are checked in every audit.
    plain = path[:1] == "/" and path[-1] != "/" and len(path) <= MAX_NAME and path.isascii()
    if plain and "//" not in path and "/." not in path and "\0" not in path:
        return
    if fault := _fault(path):
        shown = path if len(path) <= 200 else f"{path[:200]}…"
        raise BookbagError("bad-path", f"cannot use {shown!r}: {fault}")


def _fault(path: str) -> str:
    """What is wrong with ``path``; "" if nothing."""
    if not path.startswith("/"):
        return "a path on a laptop begins with /"
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:
        return "it has characters that no file name can have"
    if b"\0" in raw:
        return "a path holds no NUL"
    if len(raw) > MAX_BYTES:
        return f"a path has at most {MAX_BYTES} bytes"
    if path == "/":
        return ""
    for name in raw[1:].split(b"/"):
        if name in (b"", b".", b".."):
            return "each part is a plain name: no '.', '..', double or trailing slash"
        if len(name) > MAX_NAME:
            return f"a name has at most {MAX_NAME} bytes"
    return ""


def parents(path: str) -> tuple[str, ...]:
    """The directories above ``path``, outermost (``/``) first."""
    parts = path.split("/")[1:-1]
    return ("/", *("/" + "/".join(parts[: count + 1]) for count in range(len(parts))))


def split(path: str) -> tuple[str, str]:
    """(directory, name) of ``path``; the name of ``/`` is ``.``."""
    head, _, name = path.rpartition("/")
    return head or "/", name or "."
