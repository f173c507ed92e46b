"""Accounts of a real machine: read from its files, changed by its own programs, which lock those files."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from agent.core.errors import BookbagError
from agent.core.faults import explained
from agent.host.account_files import AccountFiles
from agent.host.processes import run

SECONDS = 30.0
SHELL = "/bin/bash"


class LinuxAccounts(AccountFiles):
    """The machine's own accounts."""

    def add(self, name: str, shown: str) -> None:
        _do("useradd", "--create-home", "--shell", SHELL, "--comment", shown, name)

    def change(self, name: str, shown: str, expires: str) -> None:
        account = self._known(name)
        if account.shown != shown:
            _do("usermod", "--comment", shown, name)
        if account.expires != expires:
            _do("usermod", "--expiredate", expires, name)

    def bar(self, name: str, barred: bool) -> None:
        if self.barred(name) is barred:
            return
        if not barred and self._password(name) == "!":  # an empty one, which --unlock will not give back
            _do("usermod", "--password", "", name)
        else:
            _do("usermod", "--lock" if barred else "--unlock", name)

    def give_password(self, name: str, hashed: str) -> None:
        if self._password(name) != hashed:
            # On its standard input: what stands in a command line, every user can read.
            _do("chpasswd", "--encrypted", input=f"{name}:{hashed}\n".encode())
        _do("chage", "--lastday", "0", name)

    def take_password(self, name: str) -> None:
        _do("usermod", "--password", "!", name)

    def remove(self, name: str) -> None:
        account = self._unused(name)
        _do("userdel", name)
        self._remove_home(account.home)

    def add_group(self, name: str) -> None:
        _do("groupadd", name)

    def remove_group(self, name: str) -> None:
        _do("groupdel", name)

    def set_members(self, group: str, members: Iterable[str]) -> None:
        _do("gpasswd", "--members", ",".join(members), group)

    def set_home_mode(self, name: str, mode: int) -> None:
        account = self._known(name)
        try:
            fd = os.open(account.home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if os.fstat(fd).st_uid != account.uid:
                    raise BookbagError(
                        "bad-path", f"cannot change a folder that is not {name}'s", place=account.home
                    )
                if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
                    os.fchmod(fd, mode)
                    os.fsync(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise explained(error, "set the permissions of a home", account.home) from error


def _do(*argv: str, input: bytes = b"") -> None:
    ended = run(argv, timeout=SECONDS, input=input)
    if ended.status != 0:
        said = ended.complaint or f"it ended with {ended.status}"
        raise BookbagError("not-effective", f"cannot change accounts: {said}", place=argv[0])
