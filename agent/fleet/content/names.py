"""Names of files that go into one item: plain, relative, and different on every file system that they may
meet."""

from __future__ import annotations

import re
import unicodedata

from agent.content.listing import is_path
from agent.core.errors import BookbagError

#: What systems and tools leave behind, and nobody means to publish.
_LITTER = frozenset(
    {".ds_store", "thumbs.db", "desktop.ini", "__macosx", ".git", ".svn", ".hg", ".directory"}
)
_DRIVE = re.compile(r"[A-Za-z]:")


def is_litter(path: str) -> bool:
    """Whether a path is of what nobody meant to bring."""
    parts = path.lower().split("/")
    return any(part in _LITTER or part.startswith("._") for part in parts)


class Names:
    """The names of one item as they come in. ``where`` is named in errors."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._seen: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def add(self, path: str, *, folder: bool = False) -> None:
        """Take a name in. Raises ``bad-content`` for one that leads elsewhere, means another thing elsewhere,
        or is another's but for case, accents' spelling, or being a folder."""
        if not is_path(path) or _DRIVE.match(path):
            raise self._bad(path, "the name leads elsewhere, is too long, or holds what names may not")
        try:
            path.encode()
        except UnicodeEncodeError:
            raise self._bad(path, "the name is not UTF-8") from None
        parts = path.split("/")
        for depth in range(1, len(parts) + folder):
            self._claim("/".join(parts[:depth]), self._folders, self._seen)
        if not folder:
            if self._seen.get(_key(path)) == path:
                raise self._bad(path, "it is there twice")
            self._claim(path, self._seen, self._folders)

    def _claim(self, path: str, mine: dict[str, str], others: dict[str, str]) -> None:
        key = _key(path)
        if key in others or mine.setdefault(key, path) != path:
            other = others.get(key) or mine[key]
            raise self._bad(path, f"some systems cannot tell it from {other!r}")

    def _bad(self, path: str, why: str) -> BookbagError:
        shown = path[:200].encode("utf-8", "backslashreplace").decode()
        return BookbagError(
            "bad-content",
            f"cannot take this file: {why}",
            place=f"{self._where}: {shown}",
            remedy="rename it",
        )


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())
