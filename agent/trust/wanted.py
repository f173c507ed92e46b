"""What the unprivileged sync worker brings in: everything this laptop needs of its site, from any source,
into the mirror.

Advisory: root verifies again, by itself. The same client and rules run here so that nothing but whole,
fresh, signed sets reach the mirror, within caps. A host over https, a folder and a neighbour are all a
`Source` (I-2).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from tuf.api.metadata import Root, Targets
from tuf.ngclient import Updater

from agent.core import durable
from agent.core.errors import BookbagError
from agent.trust import metadata
from agent.trust.commandlog import MOST_SEGMENTS, segment_name
from agent.trust.fetcher import Fetcher, check_metadata
from agent.trust.mirror import Mirror, split_name
from agent.trust.paths import (
    MAIL,
    METADATA,
    ROLE_KINDS,
    TARGETS,
    TIMESTAMP,
    TRUST_TARGET,
    cap,
    first_document,
    target_place,
)
from agent.trust.paths import MOST_DOCUMENTS as MOST_LISTED
from agent.trust.updater import framework_errors, open_updater
from agent.trust.view import Refusal

MOST_BYTES = 16 << 20  #: of everything taken from a source in one refresh
MOST_DOCUMENTS = 4 << 20  #: of policy and power documents and of catalogues together


#: What a damaged file of our own mirror can look like.
_DAMAGE = ("bad-metadata", "under-signed", "bad-json", "not-found", "too-large", "wrong-site")


class Source(Protocol):
    """Somewhere a site is published."""

    def open(self, path: str, max_bytes: int) -> Iterator[bytes]:
        """The bytes of ``path`` (as below the document root), in pieces. Raises BookbagError ``not-found``
        if the source says that there is no such file, ``network`` otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did. ``changed``: the mirror has something that it had not. ``older``: the source is
    behind the mirror."""

    changed: bool
    older: bool
    files: int  #: taken from the source
    received: int  #: bytes
    timestamp: int
    refusals: tuple[Refusal, ...] = ()  #: roles that could not be had whole; the rest is there


class SourceFiles:
    """Named bytes from the mirror where they cannot change, else from the source. Counts what the source
    cost."""

    def __init__(self, source: Source, mirror: str, distrusted: Callable[[str], bool]) -> None:
        self._source = source
        self._mirror = mirror
        self._distrusted = distrusted
        self.fresh: set[str] = set()
        self.reused: set[str] = set()
        self.received = 0

    def read(self, name: str, most: int) -> bytes | None:
        """As `agent.trust.fetcher.Files`."""
        split_name(name)
        if name != TIMESTAMP and not self._distrusted(name):
            kept = held(self._mirror, name, most)
            if kept is not None:
                self.reused.add(name)
                return kept
        try:
            data = self._take(name, most)
        except BookbagError as error:
            if error.code == "not-found":
                return None
            raise
        self.fresh.add(name)
        return data

    def _take(self, name: str, most: int) -> bytes:
        taken: list[bytes] = []
        size = 0
        for piece in self._source.open(name, most):
            size += len(piece)
            self.received += len(piece)
            if size > most or self.received > MOST_BYTES:
                raise BookbagError("too-large", f"cannot take file: it exceeds {most} bytes", place=name)
            taken.append(piece)
        return b"".join(taken)


def held(mirror: str, name: str, most: int) -> bytes | None:
    """A file that the mirror has; None if it has none that can be used (a web page is no metadata)."""
    try:
        with Mirror(mirror) as files:
            data = files.read(name, most)
        if data is not None and name.startswith(f"{METADATA}/"):
            check_metadata(data, name)
    except BookbagError:
        return None
    return data


def refresh(
    source: Source, mirror: str, *, bootstrap_root: bytes, site: str, mailbox: str | None, at: int
) -> Refreshed:
    """Bring ``mirror`` up to what ``source`` publishes, as of trusted time ``at``.

    ``timestamp.json`` is written last, so that the mirror is one consistent set at any moment; what is no
    longer named is removed after. Raises ``network``, ``expired``, ``bad-metadata``, ``wrong-site``,
    ``too-large``, ``disk-full``; the mirror then stays as it was.
    """
    durable.make_directories(mirror)
    wish = _Wish(source, mirror, bootstrap_root, site, mailbox, at)
    try:
        return _refresh(wish, lambda name: False)
    except BookbagError as error:
        if error.code not in _DAMAGE:
            raise
        # A damaged file in the mirror looks like this too: once more, with everything from the source.
        return _refresh(wish, lambda name: True)


@dataclass(frozen=True, slots=True)
class _Wish:
    source: Source
    mirror: str
    bootstrap: bytes
    site: str
    mailbox: str | None
    at: int


def _refresh(wish: _Wish, distrusted: Callable[[str], bool], *, again: bool = True) -> Refreshed:
    files = SourceFiles(wish.source, wish.mirror, distrusted)
    fetcher = Fetcher(files)
    metadata.check_site(metadata.parse(wish.bootstrap, "root.json").signed, wish.site, "root.json")
    with open_updater(fetcher, wish.bootstrap, wish.at) as updater:
        with framework_errors(fetcher):
            updater.refresh()
        for role in ("root", "timestamp", "snapshot", "targets"):
            metadata.check_site(updater._trusted_set[role], wish.site, role)
        version = updater._trusted_set.timestamp.version
        if _is_older(updater, wish, version):
            return Refreshed(False, True, len(files.fresh), files.received, version)
        refusals = _take_all(updater, fetcher, wish.mailbox)
    failed = tuple(refusal.subject for refusal in refusals)
    if again and any(_belongs(name, failed) for name in files.reused):
        # The same, for one role: its own files once more from the source.
        return _refresh(wish, lambda name: distrusted(name) or _belongs(name, failed), again=False)
    changed = _store(wish.mirror, fetcher.taken, files.fresh)
    return Refreshed(changed, False, len(files.fresh), files.received, version, tuple(refusals))


def _belongs(name: str, roles: tuple[str, ...]) -> bool:
    """Whether the file is metadata or a target of one of ``roles`` (``mailbox``, ``log``: of any of
    mail's)."""
    top, _, rest = name.partition("/")
    mail = "mailbox" in roles or "log" in roles
    if top == METADATA:
        role = rest.partition(".")[2].removesuffix(".json")
        return role in roles or (mail and role.partition("-")[0] == MAIL)
    folder = "-".join(rest.split("/")[:-1])
    return folder in roles or (mail and folder == MAIL)


def _is_older(updater: Updater, wish: _Wish, version: int) -> bool:
    """Whether the mirror has a newer timestamp of this site that the same root accepts: an old stick must not
    undo a newer download, and another site's timestamp must not keep ours away."""
    data = held(wish.mirror, TIMESTAMP, cap(TIMESTAMP))
    if data is None:
        return False
    try:
        mine = metadata.parse(data, TIMESTAMP)
        root: Root = updater._trusted_set.root
        with framework_errors():
            root.verify_delegate("timestamp", mine.signed_bytes, mine.signatures)
        metadata.check_site(mine.signed, wish.site, "timestamp")
    except BookbagError:
        return False
    return bool(mine.signed.version > version)


def _take_all(updater: Updater, fetcher: Fetcher, mailbox: str | None) -> list[Refusal]:
    targets: Targets = updater._trusted_set.targets
    with framework_errors(fetcher):
        _take_target(updater, fetcher, TRUST_TARGET)
    refusals: list[Refusal] = []
    spent = 0
    for name in (targets.delegations.roles or {}) if targets.delegations else {}:
        kind, _, role = name.partition("-")
        if kind not in ROLE_KINDS or f"{name}.json" not in updater._trusted_set.snapshot.meta:
            continue
        try:
            with framework_errors(fetcher):
                spent += _take_role(updater, fetcher, f"{kind}/{role}", name, MOST_DOCUMENTS - spent)
        except BookbagError as error:
            refusals.append(Refusal(name, error.code, error.message))
    if mailbox is not None:
        try:
            with framework_errors(fetcher):
                _take_target(updater, fetcher, f"{MAIL}/{mailbox}")
        except BookbagError as error:
            refusals.append(Refusal("mailbox", error.code, error.message))
        try:
            _take_log(updater, fetcher)
        except BookbagError as error:
            refusals.append(Refusal("log", error.code, error.message))
    for refusal in refusals:
        if (
            refusal.code == "network"
        ):  # nobody's refusal: what is there could not be fetched, so nothing is switched over
            raise BookbagError("network", refusal.message, place=refusal.subject)
    return refusals


def _take_log(updater: Updater, fetcher: Fetcher) -> None:
    """The public log of orders; segments that are full already are in the mirror, and never change."""
    with framework_errors(fetcher):
        for number in range(MOST_SEGMENTS):
            path = f"{MAIL}/{segment_name(number)}"
            if updater.get_targetinfo(path) is None:
                return
            _take_target(updater, fetcher, path)


def _take_role(updater: Updater, fetcher: Fetcher, folder: str, name: str, left: int) -> int:
    updater.get_targetinfo(f"{folder}/{first_document(folder.partition('/')[0])}")
    listed = cast("Targets", updater._trusted_set[name]).targets
    size = sum(info.length for info in listed.values())
    if size > left or len(listed) > MOST_LISTED + 1:
        raise BookbagError(
            "too-large", f"cannot take documents of {name}: too many, or more than {MOST_DOCUMENTS} bytes"
        )
    for path in listed:
        if path.startswith(f"{folder}/"):
            _take_target(updater, fetcher, path)
    return size


def _take_target(updater: Updater, fetcher: Fetcher, path: str) -> None:
    info = updater.get_targetinfo(path)
    if info is None:
        return
    place = target_place(path, info.hashes.get("sha256", ""))
    data = fetcher.get(place)
    if data is None:
        raise BookbagError("not-found", f"cannot find {path} at the source", place=place)
    try:
        info.verify_length_and_hashes(data)
    except Exception:
        fetcher.taken.pop(place, None)
        raise


def _store(mirror: str, taken: dict[str, bytes], fresh: set[str]) -> bool:
    changed = False
    for name in sorted(taken, key=lambda name: (name == TIMESTAMP, name)):
        if name not in fresh or held(mirror, name, len(taken[name]) or 1) == taken[name]:
            continue
        path = f"{mirror}/{name}"
        durable.make_directories(os.path.dirname(path))
        durable.write(path, taken[name], mode=0o644)
        changed = True
    _prune(mirror, set(taken))
    return changed


def _prune(mirror: str, wanted: set[str]) -> None:
    """Remove what no signed set names any more. Roots stay: who was away long climbs them one by one."""
    for top in (METADATA, TARGETS):
        for folder, _, names in os.walk(f"{mirror}/{top}"):
            for name in names:
                path = f"{folder}/{name}"
                if path.removeprefix(f"{mirror}/") not in wanted and not name.endswith(".root.json"):
                    os.unlink(path)
