"""Publication: signed offline roles, filed mail and fresh online signatures become a set of static files.

Order of writing, each file durably: targets and versioned metadata (new names, so nobody reads them yet),
then ``timestamp.json``, which switches readers over at once. A new root whose online keys differ is
preceded by a timestamp signed with the old and the new keys, so that it holds for readers on either side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from agent.core.errors import BookbagError
from agent.trust import commandlog, metadata
from agent.trust.keys import SigningKey
from agent.trust.paths import MAIL, TRUST_TARGET, target_place
from agent.trust.persons import TrustDocument
from agent.trust.sealing import BLOCK, MAGIC
from agent.trust.site import signing, staging
from agent.trust.site.files import RepositoryFiles, to_bytes
from agent.trust.site.online import Online
from agent.trust.site.profiles import Lives
from agent.trust.site.prune import prune
from agent.trust.site.signing import add_signature
from agent.trust.site.staging import fields, unix


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication did. ``waiting``: staged roles that lack signatures and stayed behind."""

    roles: tuple[str, ...]
    waiting: tuple[signing.Pending, ...]
    timestamp: int


@dataclass(slots=True)
class Publication:
    """One publication being put together in memory; nothing is written before all of it holds."""

    folder: RepositoryFiles
    site: str
    online: Online
    lives: Lives
    bits: int
    at: int
    root: Metadata[Any]
    targets: Metadata[Any]
    trust: TrustDocument
    meta: dict[str, MetaFile]
    offered: frozenset[str]  #: staged roles that are ready
    files: dict[str, bytes] = field(default_factory=dict)  #: by name below published/
    filed: list[tuple[str, str]] = field(default_factory=list)  #: staged mail that was taken up: folder, name
    done: list[str] = field(default_factory=list)


def publish(
    folder: RepositoryFiles,
    online: Online,
    *,
    site: str,
    lives: Lives,
    bits: int,
    at: int,
    offline: bool = True,
) -> Published:
    """Publish everything that is ready. Raises ``under-signed`` (and writes nothing) if what would be
    published would not hold on a laptop. ``offline`` False: staged offline roles stay where they are."""
    states = [signing.pending(folder, role) for role in folder.staged_roles()]
    this = _start(
        folder, online, site, lives, bits, at, frozenset(one.role for one in states if one.ready and offline)
    )
    _check_online(this)
    _take_offline(this)
    _take_mail(this)
    version = _finish(this)
    return Published(tuple(this.done), tuple(one for one in states if not one.ready), version)


def _start(
    folder: RepositoryFiles,
    online: Online,
    site: str,
    lives: Lives,
    bits: int,
    at: int,
    ready: frozenset[str],
) -> Publication:
    def choose(role: str, published: Metadata[Any] | None) -> Metadata[Any]:
        found = folder.staged(role) if role in ready else published
        if found is None:
            state = signing.pending(folder, role)
            raise BookbagError(
                "under-signed",
                f"cannot publish: {role} lacks {state.missing} of {state.needed} persons",
                place=role,
                remedy=f"any of {', '.join(state.may)} can sign it",
            )
        return found

    root = choose("root", cast("Metadata[Any] | None", folder.root()))
    targets = choose("targets", cast("Metadata[Any] | None", folder.published("targets")))
    trust = signing.trust_of(folder, cast("Targets", targets.signed))
    snapshot = folder.snapshot()
    meta = dict(snapshot.signed.meta) if snapshot else {}
    return Publication(folder, site, online, lives, bits, at, root, targets, trust, meta, ready)


def _check_online(this: Publication) -> None:
    root = cast("Root", this.root.signed)
    delegations = metadata.delegations(cast("Targets", this.targets.signed), "targets")
    listed = {"timestamp": (root, "timestamp"), "snapshot": (root, "snapshot")}
    for role in listed:
        if getattr(this.online, role).public.keyid not in root.roles[role].keyids:
            raise BookbagError("bad-key", f"cannot publish: root lists another key for {role}", place=role)
    if this.online.mail.public.keyid not in (delegations.roles or {})[MAIL].keyids:
        raise BookbagError("bad-key", "cannot publish: targets lists another key for mail", place=MAIL)


def _take_offline(this: Publication) -> None:
    root = cast("Root", this.root.signed)
    needed = signing.root_rule(root, "targets")
    metadata.check_persons(needed.have(this.targets), needed.needed, "targets")
    least = metadata.root_fields(root).least_targets
    if this.targets.signed.version < least:
        raise BookbagError(
            "rollback", f"cannot publish: root demands targets {least} or newer", place="targets"
        )
    if "targets" in this.offered:
        _add_metadata(this, "targets", this.targets)
        info = cast("Targets", this.targets.signed).targets[TRUST_TARGET]
        this.files[target_place(TRUST_TARGET, info.hashes["sha256"])] = this.trust.to_bytes()
    delegated = metadata.delegations(cast("Targets", this.targets.signed), "targets").roles or {}
    for role in sorted(delegated):
        if role != MAIL:
            _take_role(this, role)


def _take_role(this: Publication, role: str) -> None:
    staged = role in this.offered
    signed = this.folder.staged(role) if staged else this.folder.published(role)
    if signed is None:
        return  # nothing of it was ever signed
    rule = signing.role_rule(cast("Targets", this.targets.signed), this.trust, role)
    have = rule.have(cast("Metadata[Any]", signed))
    if len(have) < rule.needed:
        raise BookbagError(
            "under-signed",
            f"cannot publish: with this trust.json {role} needs {rule.needed} persons and has {len(have)}",
            place=role,
            remedy=f"stage {role} again; any of {', '.join(rule.may())} can sign it",
        )
    if not staged:
        return
    _add_metadata(this, role, cast("Metadata[Any]", signed))
    for path, info in cast("Targets", signed.signed).targets.items():
        data = this.folder.target(path, info)
        if data is None:
            raise BookbagError(
                "bad-signature",
                f"cannot publish: {path} was changed or lost after it was staged",
                place=path,
                remedy="stage it again",
            )
        this.files[target_place(path, info.hashes["sha256"])] = data


def _take_mail(this: Publication) -> None:
    """Mail metadata and those bins that changed, are near their end, or are signed by a former key."""
    key = this.online.mail
    mail = this.folder.published(MAIL)
    stale = mail is None or not _signed_by(mail, key) or _is_old(this, mail, this.lives.mail)
    if stale:
        version = mail.signed.version + 1 if mail else 1
        made = staging.make_mail(
            this.site, key.public, this.bits, version=version, at=this.at, life=this.lives.mail
        )
        _add_metadata(this, MAIL, made, *this.online.signers("mail"))
    bins: dict[str, dict[str, TargetFile]] = {}
    roles = staging.make_mail(this.site, key.public, this.bits, version=1, at=this.at, life=1).signed
    succinct = staging.bins_of(roles)
    for folder, check in (("mail", check_sealed), ("log", check_segment(this.site))):
        for name in this.folder.names("staged", folder):
            path = f"mail/{name}"
            data = this.folder.read("staged", folder, name) or b""
            listed = bins.setdefault(succinct.get_role_for_target(path), {})
            listed[path] = TargetFile.from_data(path, data, ["sha256"])
            if data:
                check(data, f"staged/{folder}/{name}")
                this.files[target_place(path, listed[path].hashes["sha256"])] = data
            this.filed.append((folder, name))
    for role in succinct.get_roles():
        _take_bin(this, role, bins.get(role, {}))


def check_sealed(data: bytes, place: str) -> None:
    """Refuse (``bad-envelope``) to file what is sealed to nobody: every host and laptop would read it."""
    if not data.startswith(MAGIC) or len(data) % BLOCK:
        raise BookbagError(
            "bad-envelope", "cannot file mail: it is not sealed, and the host must not read it", place=place
        )


def check_segment(site: str) -> Callable[[bytes, str], None]:
    """Refuse to publish as a segment of the log of orders what laptops would refuse to read."""

    def check(data: bytes, place: str) -> None:
        try:
            commandlog.read_segment(data, place, site)
        except BookbagError as error:
            raise BookbagError(error.code, f"cannot publish: {error.message}", place=place) from None

    return check


def _take_bin(this: Publication, role: str, changes: dict[str, TargetFile]) -> None:
    key = this.online.mail
    before = this.folder.published(role)
    if before and not changes and _signed_by(before, key) and not _is_old(this, before, this.lives.mail):
        return
    listed = {**(before.signed.targets if before else {}), **changes}
    made = Targets(
        version=before.signed.version + 1 if before else 1,
        expires=unix(this.at + this.lives.mail),
        targets={path: info for path, info in sorted(listed.items()) if info.length},
        unrecognized_fields=fields(this.site, this.at),
    )
    _add_metadata(this, role, Metadata(made), *this.online.signers("mail"))


def _finish(this: Publication) -> int:
    """Snapshot if anything changed or it is near its end; timestamp always; then write."""
    old = this.folder.snapshot()
    timestamp = this.folder.timestamp()
    number = timestamp.signed.version + 1 if timestamp else 1
    if (
        old is None
        or this.done
        or not _signed_by(old, this.online.snapshot)
        or _is_old(this, old, this.lives.snapshot)
    ):
        snapshot = Metadata(
            Snapshot(
                version=old.signed.version + 1 if old else 1,
                expires=unix(this.at + this.lives.snapshot),
                meta=this.meta,
                unrecognized_fields=fields(this.site, this.at),
            )
        )
        for key in this.online.signers("snapshot"):
            add_signature(cast("Metadata[Any]", snapshot), key)
        data = to_bytes(cast("Metadata[Any]", snapshot), "snapshot")
        this.files[f"metadata/{snapshot.signed.version}.snapshot.json"] = data
        described = _describe(snapshot.signed.version, data)
    else:
        described = _describe(
            old.signed.version,
            this.folder.read("published", "metadata", f"{old.signed.version}.snapshot.json") or b"",
        )
    stamp = Metadata(
        Timestamp(
            version=number,
            expires=unix(this.at + this.lives.timestamp),
            snapshot_meta=described,
            unrecognized_fields=fields(this.site, this.at),
        )
    )
    for key in this.online.signers("timestamp"):
        add_signature(cast("Metadata[Any]", stamp), key)
    _write(this, to_bytes(cast("Metadata[Any]", stamp), "timestamp"))
    return number


def _write(this: Publication, timestamp: bytes) -> None:
    folder = this.folder
    folder.write_many(this.files, "published")
    last = [("timestamp.json", timestamp)]
    if "root" in this.offered:
        name = f"{this.root.signed.version}.root.json"
        # With the former keys signing too, the timestamp holds under both roots; without them the root must
        # come first.
        last.insert(1 if this.online.previous else 0, (name, to_bytes(this.root, "root")))
        this.done.insert(0, "root")
    for name, data in last:
        folder.write(data, "published", "metadata", name)
    folder.remove_many([f"{role}.json" for role in this.offered], "staged", "metadata")
    for kind in ("mail", "log"):
        folder.remove_many([name for where, name in this.filed if where == kind], "staged", kind)
    prune(folder)


def _add_metadata(this: Publication, role: str, signed: Metadata[Any], *keys: SigningKey) -> None:
    for key in keys:
        add_signature(signed, key)
    data = to_bytes(signed, role)
    this.files[f"metadata/{signed.signed.version}.{role}.json"] = data
    this.meta[f"{role}.json"] = _describe(signed.signed.version, data)
    this.done.append(role)


def _describe(version: int, data: bytes) -> MetaFile:
    return MetaFile.from_data(version, data, ["sha256"])


def _signed_by(signed: Metadata[Any] | Metadata[Targets] | Metadata[Snapshot], key: SigningKey) -> bool:
    made = signed.signatures.get(key.public.keyid)
    return made is not None and key.public.verifies(bytes.fromhex(made.signature), signed.signed_bytes)


def _is_old(this: Publication, signed: Metadata[Targets] | Metadata[Snapshot], life: int) -> bool:
    """Less than half of its life is left."""
    return int(signed.signed.expires.timestamp()) - this.at < life // 2
