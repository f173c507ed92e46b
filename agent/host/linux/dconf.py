"""dconf of a real machine: compiled and asked through its own program, asked as the user whom it concerns.

Asking as the user matters: profile, databases and locks are found and read with that person's rights, and a
database that only root can read forces nothing. The environment is clean, so what a student exports in a
login script (DCONF_PROFILE) is not seen here; /etc/environment and the like are policy of their own.
"""

from __future__ import annotations

import os
from contextlib import suppress

from agent.core.errors import BookbagError
from agent.host.base import Files
from agent.host.dconf_names import check_database, check_key
from agent.host.processes import run

DATABASES = "/etc/dconf/db"
INVALID = b"\0" * 8  #: the head of a database that running programs must drop
SECONDS = 20.0  #: for compiling
ASK_SECONDS = 4.0  #: for asking as a user: it takes some milliseconds, unless that user sees to it


class LinuxDconf:
    """The ``dconf`` program."""

    def __init__(self, files: Files, program: str = "/usr/bin/dconf") -> None:
        self._files = files
        self._program = program
        self._environment: dict[str, str] = {}  # what a test's user has besides
        self._mute: set[str] = set()  # users as whom it did not answer in time: not waited for again

    def compile(self, database: str) -> None:
        check_database(database)
        directory = f"{DATABASES}/{database}.d"
        if self._files.names(directory) is None:
            self._drop(f"{DATABASES}/{database}")
            return
        ended = run((self._program, "update"), timeout=SECONDS)
        # It updates every database and fails if one of them is bad: somebody else's is not our failure.
        if ended.status != 0 and (directory in ended.errors.decode("utf-8", "replace") or ended.status < 0):
            raise BookbagError("not-effective", f"cannot compile: {ended.complaint}", place=directory)

    def _drop(self, path: str) -> None:
        """Remove a compiled database whose key files are gone; `dconf update` would keep forcing it."""
        with suppress(OSError):
            fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.write(fd, INVALID)
            finally:
                os.close(fd)
        self._files.remove(path)

    def effective(self, user: str, key: str) -> str | None:
        check_key(key)
        return self._ask(user, "read", key) or None

    def default(self, user: str, key: str) -> str | None:
        check_key(key)
        return self._ask(user, "read", "-d", key) or None

    def writable(self, user: str, *keys: str) -> bool:
        for key in keys:
            check_key(key)
        directory = os.path.commonpath([os.path.dirname(key) for key in keys]).rstrip("/") + "/"
        # It names all locked keys below; the directory itself if nothing there can be changed at all.
        locked = set(self._ask(user, "list-locks", directory).splitlines())
        return directory not in locked and not locked.issuperset(keys)

    def _ask(self, user: str, *question: str) -> str:
        argv = (self._program, *question)
        try:
            if user in self._mute:
                raise BookbagError("worker-timeout", "cannot wait for it again: it did not answer just now")
            ended = run(argv, timeout=ASK_SECONDS, user=user, environment=self._environment)
        except BookbagError as error:
            if error.code == "worker-timeout":
                self._mute.add(user)
            raise
        if ended.status != 0:
            raise BookbagError(
                "not-supported", f"cannot ask dconf as {user}: {ended.complaint}", place=question[-1]
            )
        return ended.text.strip()
