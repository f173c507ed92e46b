"""Sealed mailboxes and the public log of orders on their way into the repository: what is staged, what is
published, and what is taken away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from agent.core.errors import BookbagError
from agent.core.ids import is_id
from agent.trust import commandlog
from agent.trust.commandlog import CommandLog
from agent.trust.keys import PublicKey
from agent.trust.paths import MAIL
from agent.trust.site import publish, staging
from agent.trust.site.files import RepositoryFiles


class Mailroom:
    """The mail of one repository. ``key`` is mail's, ``bits`` how many bins it has (2^bits)."""

    def __init__(self, folder: RepositoryFiles, site: str, key: PublicKey, bits: int) -> None:
        self._folder = folder
        self._site = site
        made = staging.make_mail(site, key, bits, version=1, at=0, life=1).signed
        self._bins = staging.bins_of(made)

    def file(self, boxes: Mapping[str, bytes | None]) -> None:
        """Stage sealed mailboxes by name (None: take it away), all or none of them. Raises ``bad-argument``,
        ``bad-envelope``."""
        for mailbox, sealed in boxes.items():
            if not is_id(mailbox):
                raise BookbagError("bad-argument", f"cannot file mail: {mailbox[:40]!r} is no mailbox name")
            if sealed is not None:
                publish.check_sealed(sealed, mailbox)
        self._folder.write_many({name: sealed or b"" for name, sealed in boxes.items()}, "staged", "mail")

    def file_log(self, log: CommandLog) -> None:
        """Stage this log of orders. Segments that are published already are left."""
        for name, data in log.segments(self._site).items():
            if self._segment(name) != data:
                self._folder.write(data, "staged", "log", name)

    def log(self) -> CommandLog:
        """The log that is published, or will be: staged segments count. Raises ``bad-metadata``,
        ``wrong-site``."""
        return commandlog.read_log(self._segments(), self._site)

    def clear(self) -> None:
        """Stage that every mailbox and the whole log are taken away: somebody else could have put them
        there."""
        for role in self._bins.get_roles():
            found = self._folder.published(role)
            for path in found.signed.targets if found else ():
                name = path.removeprefix(f"{MAIL}/")
                self._folder.write(b"", "staged", "mail" if is_id(name) else "log", name)

    def _segments(self) -> Iterator[bytes]:
        for number in range(commandlog.MOST_SEGMENTS):
            data = self._segment(commandlog.segment_name(number))
            if not data:
                return
            yield data

    def _segment(self, name: str) -> bytes:
        staged = self._folder.read("staged", "log", name)
        if staged is not None:
            return staged
        path = f"{MAIL}/{name}"
        listed = self._folder.published(self._bins.get_role_for_target(path))
        info = listed.signed.targets.get(path) if listed else None
        data = self._folder.target(path, info) if info else None
        if info is not None and (data is None or hashlib.sha256(data).hexdigest() != info.hashes["sha256"]):
            raise BookbagError(
                "bad-metadata", "cannot read the published log of orders: a part is missing", place=path
            )
        return data or b""
