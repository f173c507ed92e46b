"""Where a person's passphrase comes from: a file, the environment, or asking. Never the command line, which
others can see."""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence

from agent.core.errors import BookbagError

VARIABLE = "BOOKBAG_PASSPHRASE"
_MOST = 1024


class Passphrases:
    """Answers for each person, asking at most once.

    ``files`` are ``FILE`` (for everyone) or ``PERSON=FILE``. Then ``$BOOKBAG_PASSPHRASE_PERSON`` (upper
    case, ``_`` for
    ``-``) and ``$BOOKBAG_PASSPHRASE``; then the terminal.
    """

    def __init__(
        self,
        files: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        *,
        ask: Callable[[str], str] | None = None,
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._files: dict[str, str] = {}
        for entry in files:
            person, mark, path = entry.partition("=")
            if not mark or os.path.exists(entry):
                person, path = "", entry
            self._files[person] = path
        self._environ = os.environ if environ is None else environ
        self._ask = ask or (getpass.getpass if sys.stdin.isatty() else None)
        self._warn = warn
        self._known: dict[str, bytes] = {}

    def get(self, person: str, *, new: bool = False) -> bytes:
        """The passphrase of ``person``; asked for twice if it is ``new``. Raises ``bad-key`` if there is
        none."""
        if person not in self._known:
            self._known[person] = self._find(person, new)
        return self._known[person]

    def _find(self, person: str, new: bool) -> bytes:
        path = self._files.get(person, self._files.get(""))
        if path is not None:
            return self._from_file(path)
        for name in (f"{VARIABLE}_{person.upper().replace('-', '_')}", VARIABLE):
            if self._environ.get(name):
                return self._environ[name].encode("utf-8")
        if self._ask is None:
            what = "protect the new" if new else "open the"
            raise BookbagError(
                "bad-key",
                f"cannot {what} key of {person}: no passphrase, and no terminal to ask at",
                remedy=f"use --passphrase-file {person}=FILE or set ${VARIABLE}",
            )
        first = self._ask(f"Passphrase of {person}{' (new)' if new else ''}: ")
        if new and self._ask("Once more: ") != first:
            raise BookbagError(
                "bad-key", "cannot take the passphrase: the two entries differ", remedy="try again"
            )
        return first.encode("utf-8")

    def _from_file(self, path: str) -> bytes:
        try:
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                data = file.read(_MOST + 1)
        except OSError as error:
            raise BookbagError(
                "bad-key", f"cannot read the passphrase file: {error.strerror}", place=path
            ) from None
        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
            self._warn(f"{path} can be read by others on this machine: chmod 600 it")
        text = data.split(b"\n", 1)[0].rstrip(b"\r")
        if not text or len(data) > _MOST:
            raise BookbagError(
                "bad-key",
                "cannot use the passphrase file: its first line must hold the passphrase",
                place=path,
            )
        return text
