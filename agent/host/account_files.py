"""Reading /etc/passwd, /etc/shadow and /etc/group, and whether a home is as it was made: on every host."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.errors import BookbagError
from agent.host.accounts import GIVEN, KEPT, NEVER, OWN, UNSET, Account
from agent.host.base import Files

PASSWD, SHADOW, GROUP, GSHADOW = "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"
SKELETON = "/etc/skel"
#: Where something of a person's lies beside their home.
_TRACES = ("/var/mail/", "/var/spool/cron/crontabs/", "/var/lib/systemd/linger/")
_LASTLOG = "/var/log/lastlog"
_LASTLOG_SIZE = 292  #: bytes of one uid's record there
_MOST_LASTLOG = 64 << 20
_MOST_BYTES = 4 << 20
_MOST_PATHS = 200  #: more than any skeleton has


class AccountFiles:
    """The machine's own accounts, as ``files`` has them."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def find(self, name: str) -> Account | None:
        """See `Accounts.find`."""
        return next((one for one in self._accounts() if one.name == name), None)

    def people(self) -> tuple[Account, ...]:
        """See `Accounts.people`."""
        return tuple(sorted((one for one in self._accounts() if one.person), key=lambda one: one.name))

    def members(self, group: str) -> tuple[str, ...] | None:
        """See `Accounts.members`."""
        for name, _, _, members in self._rows(GROUP, 4):
            if name == group:
                return tuple(filter(None, members.split(",")))
        return None

    def group_of(self, name: str) -> str:
        """See `Accounts.group_of`."""
        account = self.find(name)
        gid = "" if account is None else str(account.gid)
        return next((row[0] for row in self._rows(GROUP, 4) if row[2] == gid), "")

    def barred(self, name: str) -> bool:
        """See `Accounts.barred`."""
        return self._password(name).startswith(("!", "*"))

    def password(self, name: str, given: str) -> str:
        """See `Accounts.password`."""
        there = self._password(name)
        if there != given:
            return OWN if there.strip("!*") or not there else UNSET
        changed = next((row[2] for row in self._rows(SHADOW, 9) if row[0] == name), "")
        return GIVEN if changed == "0" else KEPT

    def used(self, name: str) -> bool:
        """See `Accounts.used`."""
        account = self._known(name)
        if self._ever_in(account.uid) or any(self._holds(f"{folder}{name}") for folder in _TRACES):
            return True
        return self._files.read(account.home) is not None and not self._as_made(account.home)

    # -- beneath

    def _known(self, name: str) -> Account:
        account = self.find(name)
        if account is None:
            raise BookbagError("not-found", f"cannot find an account called {name} on this laptop")
        return account

    def _password(self, name: str) -> str:
        """As it is written in shadow: a hash, with "!" before it while it is barred. Not to be told."""
        self._known(name)
        found = next((row[1] for row in self._rows(SHADOW, 9) if row[0] == name), None)
        if found is None:
            raise BookbagError("not-supported", f"cannot tell whether a password gets in as {name}")
        return found

    def _unused(self, name: str) -> Account:
        """The account, before it goes. Raises ``not-allowed`` for a system's, or one that somebody used."""
        account = self._known(name)
        if not account.person or self.used(name):
            whose = "somebody used it" if account.person else "it is the system's"
            raise BookbagError("not-allowed", f"cannot take away the account {name}: {whose}")
        return account

    def _accounts(self) -> Iterator[Account]:
        expiry = {row[0]: row[7] for row in self._rows(SHADOW, 9)}
        for name, _, uid, gid, shown, home, shell in self._rows(PASSWD, 7):
            if uid.isdigit() and gid.isdigit():
                yield Account(name, int(uid), int(gid), shown, home, shell, expiry.get(name, NEVER))

    def _rows(self, path: str, fields: int) -> Iterator[list[str]]:
        for line in self._text(path).split("\n"):
            row = line.split(":")
            if len(row) == fields and row[0]:
                yield row

    def _text(self, path: str) -> str:
        node = self._files.read(path, limit=_MOST_BYTES)
        return "" if node is None or node.kind != "file" else node.content.decode("utf-8", "surrogateescape")

    def _holds(self, path: str) -> bool:
        node = self._files.read(path)
        return node is not None and (node.kind != "file" or node.content != b"" or "linger" in path)

    def _ever_in(self, uid: int) -> bool:
        """What lastlog(8) has of that uid. Newer systems keep no such file: there the home has to tell.

        It has a place for every uid, so one person of a directory service's makes it larger than can be read:
        then somebody may have been in.
        """
        try:
            node = self._files.read(_LASTLOG, limit=_MOST_LASTLOG)
        except BookbagError as error:
            if error.code != "too-large":
                raise
            return True
        if node is None or node.kind != "file":
            return False
        return any(node.content[uid * _LASTLOG_SIZE : (uid + 1) * _LASTLOG_SIZE])

    def _as_made(self, home: str) -> bool:
        """Whether all that is in ``home`` came from the skeleton, and is as it is there."""
        inside = list(self._inside(home, ""))
        return len(inside) <= _MOST_PATHS and all(
            path.startswith("/") and self._same(SKELETON + path, home + path) for path in inside
        )

    def _same(self, made_from: str, path: str) -> bool:
        one, other = self._files.read(made_from), self._files.read(path)
        return (
            one is not None and other is not None and (one.kind, one.content) == (other.kind, other.content)
        )

    def _inside(self, top: str, under: str) -> Iterator[str]:
        """Paths below ``top``, each directory before what is in it; "?" for what no skeleton could be."""
        for number, name in enumerate(self._files.names(top + under) or ()):
            if number > _MOST_PATHS or under.count("/") > 8:
                yield "?"
                return
            path = f"{under}/{name}"
            yield path
            node = self._files.read(top + path)
            if (
                node is not None
                and node.kind == "directory"
                and self._files.read(SKELETON + path) is not None
            ):
                yield from self._inside(top, path)

    def _remove_home(self, home: str) -> None:
        """Take away a home that is as it was made."""
        paths = list(self._inside(home, ""))
        folders = [
            path for path in paths if (node := self._files.read(home + path)) and node.kind == "directory"
        ]
        for path in paths:
            if path not in folders:
                self._files.remove(home + path)
        self._files.remove_empty([*(home + path for path in reversed(folders)), home])
