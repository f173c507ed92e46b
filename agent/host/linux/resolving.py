"""Whom programs of a real machine ask for names: /etc/resolv.conf as the C library reads it."""

from __future__ import annotations

PATH = "/etc/resolv.conf"
_MOST_BYTES = 64 << 10
_MOST_SERVERS = 3  #: further ones are passed over
_COMMENTS = ("#", ";")


class LinuxResolving:
    """``top`` stands for / in tests."""

    def __init__(self, top: str = "") -> None:
        self._top = top

    def servers(self) -> tuple[str, ...]:
        found = [words[1] for words in self._lines() if words[0] == "nameserver" and len(words) > 1]
        return tuple(found[:_MOST_SERVERS])

    def searches(self) -> tuple[str, ...]:
        """The last such line counts."""
        found = [words[1:] for words in self._lines() if words[0] in ("search", "domain")]
        return tuple(found[-1]) if found else ()

    def _lines(self) -> list[list[str]]:
        try:
            with open(self._top + PATH, encoding="ascii", errors="replace") as file:
                lines = [line.split() for line in file.read(_MOST_BYTES).splitlines()]
        except OSError:  # then nobody is asked
            return []
        return [words for words in lines if words and not words[0].startswith(_COMMENTS)]
