"""A bounded directory of small files on their way out: oldest first, whole or absent, never beyond its caps.

A file is ``NNNNNNNNNNNN-name``; the number grows with each arrival, so that order needs no clock. Nothing is
ever dropped to make room: a spool that is full refuses (``disk-full``), because receipts must not vanish in
silence.
"""

from __future__ import annotations

import os

from agent.core.errors import BookbagError
from agent.store import atomic

_DIGITS = 12
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Spool:
    """`agent.core.ports.Outbox` in ``directory``, made when first needed; one writer at a time.

    ``owner`` (uid, gid) is that of the directory and of each file, ``mode`` each file's, ``dir_mode`` the
    directory's: a reader of another uid needs them.
    """

    def __init__(
        self,
        directory: str,
        *,
        max_bytes: int = 64 << 20,
        max_count: int = 10_000,
        mode: int = 0o600,
        dir_mode: int = 0o700,
        owner: tuple[int, int] | None = None,
    ) -> None:
        self.directory = directory
        self._max_bytes = max_bytes
        self._max_count = max_count
        self._mode = mode
        self._dir_mode = dir_mode
        self._owner = owner

    def put(self, name: str, data: bytes) -> None:
        """Store ``data`` durably under ``name``; under a name that is waiting, replace it and keep its turn.

        Raises ``disk-full`` beyond a cap, ``bad-argument`` for a name that is not 1 to 128 of letters,
        digits, ``-_.``.
        """
        if not (0 < len(name) <= 128 and _NAME.issuperset(name)) or name.endswith((".tmp", ".corrupt")):
            raise BookbagError(
                "bad-argument", f"cannot store under {name!r}: not a plain name", place=self.directory
            )
        atomic.make_dir(self.directory, mode=self._dir_mode, owner=self._owner)
        waiting = self._waiting()
        number = waiting.pop(name, None)
        used = sum(self._size(n, other) for other, n in waiting.items())
        if len(waiting) + 1 > self._max_count or used + len(data) > self._max_bytes:
            raise BookbagError(
                "disk-full",
                f"cannot store {name}: {len(waiting)} files with {used} bytes are waiting",
                place=self.directory,
                remedy="connect to the school's host so that they can be delivered",
            )
        if number is None:
            number = max(waiting.values(), default=0) + 1
        elif self.read(name) == data:
            return
        atomic.write(self._path(number, name), data, mode=self._mode, owner=self._owner)

    def names(self) -> tuple[str, ...]:
        """What is waiting, oldest first."""
        waiting = self._waiting()
        return tuple(sorted(waiting, key=lambda name: (waiting[name], name)))

    def read(self, name: str) -> bytes:
        """The bytes stored under ``name``. Raises ``not-found``."""
        number = self._waiting().get(name)
        data = None if number is None else atomic.read(self._path(number, name), max_bytes=self._max_bytes)
        if data is None:
            raise BookbagError(
                "not-found", f"cannot read {name}: nothing of that name waits", place=self.directory
            )
        return data

    def remove(self, name: str) -> None:
        """Drop one that was delivered (absent: no error), durably."""
        number = self._waiting().get(name)
        if number is not None:
            atomic.remove(self._path(number, name))

    def _path(self, number: int, name: str) -> str:
        return f"{self.directory}/{number:0{_DIGITS}d}-{name}"

    def _size(self, number: int, name: str) -> int:
        try:
            return os.lstat(self._path(number, name)).st_size
        except FileNotFoundError:
            return 0  # delivered meanwhile

    def _waiting(self) -> dict[str, int]:
        """name → number. Anything else in the directory (an unfinished file, a stranger) is passed over."""
        found: dict[str, int] = {}
        with atomic.named_errors("list", self.directory):
            try:
                files = os.listdir(self.directory)
            except FileNotFoundError:
                return found
        for file in sorted(files):
            number, dash, name = file.partition("-")
            plain = dash and len(number) >= _DIGITS and number.isascii() and number.isdigit()
            if plain and name and _NAME.issuperset(name) and not name.endswith(".tmp"):
                found[name] = int(number)
        return found
