"""Next versions of root, targets and roles: unsigned, waiting in ``staged/``, with site and signing time
inside."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    Role,
    Root,
    SuccinctRoles,
    TargetFile,
    Targets,
)

from agent.core.errors import BookbagError
from agent.trust import floors, metadata
from agent.trust.catalogue import Catalogue, catalogue_path
from agent.trust.index import IndexEntry, write_index
from agent.trust.keys import PublicKey
from agent.trust.paths import (
    INDEX,
    MAIL,
    MOST_DOCUMENT,
    MOST_DOCUMENTS,
    ROLE_KINDS,
    TRUST_TARGET,
    is_document_name,
    role_name,
)
from agent.trust.persons import Role as TrustRole
from agent.trust.persons import TrustDocument
from agent.trust.site.online import OnlinePublic
from agent.trust.site.profiles import Profile

MAIL_BIN = "mail"  #: bins are mail-0 …: succinct roles named by this prefix


@dataclass(frozen=True, slots=True)
class Holders:
    """Who holds root and targets keys: person → public key. The same keys may serve for both."""

    root: Mapping[str, PublicKey]
    targets: Mapping[str, PublicKey]

    def check(self, profile: Profile) -> None:
        """Raises ``under-signed`` or ``duplicate-person`` if these persons cannot meet the profile."""
        for name, keys in (("root", self.root), ("targets", self.targets)):
            if len({key.raw for key in keys.values()}) != len(keys):
                raise BookbagError("duplicate-person", f"cannot use {name} keys: two persons share one")
            if len(keys) < profile.holders:
                raise BookbagError(
                    "under-signed",
                    f"cannot make {name}: profile {profile.name} needs {profile.holders} persons",
                )
        owners: dict[bytes, str] = {}
        for keys in (self.root, self.targets):
            for person, key in keys.items():
                if owners.setdefault(key.raw, person) != person:
                    raise BookbagError(
                        "duplicate-person", f"cannot use keys: {person} and {owners[key.raw]} share one"
                    )


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One document to publish: its bytes, and for the index its rank and whom it is for."""

    data: bytes
    rank: str = ""
    applies_to: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


def unix(at: int) -> datetime.datetime:
    """Unix seconds as metadata writes time."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC)


def fields(site: str, at: int, **more: Any) -> dict[str, Any]:
    """The fields of ours that every signed file has."""
    return {"site": site, "signed_at": at, **more}


def make_root(  # noqa: PLR0913 - each is one signed field
    site: str,
    holders: Holders,
    online: OnlinePublic,
    profile: Profile,
    *,
    version: int,
    epoch: int,
    least_targets: int,
    upstream: Mapping[str, str],
    at: int,
    life: int,
) -> Metadata[Any]:
    """Unsigned root metadata."""
    keys: dict[str, Key] = {}
    persons: dict[str, str] = {}
    listed: dict[str, Role] = {}

    def role(name: str, holding: Mapping[str, PublicKey] | PublicKey, threshold: int) -> None:
        if isinstance(holding, PublicKey):
            keys[holding.keyid] = metadata.tuf_key(holding)
            listed[name] = Role([holding.keyid], threshold)
            return
        for person, key in holding.items():
            keys[key.keyid] = metadata.tuf_key(key)
            persons[key.keyid] = person
        listed[name] = Role(sorted(key.keyid for key in holding.values()), threshold)

    role("root", holders.root, profile.root_threshold)
    role("targets", holders.targets, profile.targets_threshold)
    role("snapshot", online.snapshot, 1)
    role("timestamp", online.timestamp, 1)
    extra = fields(
        site, at, epoch=epoch, minimum_targets=least_targets, persons=persons, upstream_roots=dict(upstream)
    )
    root = Root(
        version=version,
        expires=unix(at + life),
        keys=keys,
        roles=listed,
        consistent_snapshot=True,
        unrecognized_fields=extra,
    )
    return Metadata(root)


def kinds_of(role: TrustRole) -> tuple[str, ...]:
    """What a role signs: no policy without a rank to speak for."""
    may = {"policy": bool(role.ranks), "power": role.power, "content": role.content}
    return tuple(kind for kind in ROLE_KINDS if may[kind])


def make_targets(
    trust: TrustDocument, mail: PublicKey, bits: int, *, version: int, at: int, life: int
) -> Metadata[Any]:
    """Unsigned top-level targets: trust.json, and a delegation for each policy, power and content role and
    for mail."""
    data = trust.to_bytes()
    TrustDocument.from_bytes(data)  # what no laptop could read must not get as far as a signature
    keys: dict[str, Key] = {mail.keyid: metadata.tuf_key(mail)}
    listed: dict[str, DelegatedRole] = {}
    for name, rule in sorted(trust.roles.items()):
        for kind in kinds_of(rule):
            least = floors.ROLE_PERSONS[kind]
            if len(rule.persons) < least:
                raise BookbagError(
                    "under-signed",
                    f"cannot give role {name} {kind}: it needs {least} persons",
                    place=f"roles.{name}",
                )
            mine = [key for person in rule.persons for key in trust.person(person).keys]
            keys.update({key.keyid: metadata.tuf_key(key) for key in mine})
            delegated = role_name(kind, name)
            listed[delegated] = DelegatedRole(
                delegated, sorted(key.keyid for key in mine), least, True, [f"{kind}/{name}/*"]
            )
    listed[MAIL] = DelegatedRole(MAIL, [mail.keyid], 1, True, ["mail/*"])
    targets = Targets(
        version=version,
        expires=unix(at + life),
        targets={TRUST_TARGET: TargetFile.from_data(TRUST_TARGET, data, ["sha256"])},
        delegations=Delegations(keys, listed),
        unrecognized_fields=fields(trust.site, at, epoch=trust.epoch, mail_bits=bits),
    )
    return Metadata(targets)


def make_role(
    site: str, kind: str, role: str, documents: Mapping[str, PolicyFile], *, version: int, at: int, life: int
) -> tuple[Metadata[Any], dict[str, bytes]]:
    """Unsigned metadata of a policy or power role, and its files by target path."""
    if len(documents) > MOST_DOCUMENTS:
        raise BookbagError("too-many", f"cannot stage {role}: more than {MOST_DOCUMENTS} documents")
    files: dict[str, bytes] = {}
    entries: dict[str, IndexEntry] = {}
    for name, document in documents.items():
        if not is_document_name(name):
            raise BookbagError("bad-argument", f"cannot stage {name!r}: not a plain file name", place=name)
        if len(document.data) > MOST_DOCUMENT:
            raise BookbagError(
                "too-large", f"cannot stage {name}: more than {MOST_DOCUMENT} bytes", place=name
            )
        files[f"{kind}/{role}/{name}"] = document.data
        digest = hashlib.sha256(document.data).hexdigest()
        entries[name] = IndexEntry(digest, document.rank, document.applies_to)
    files[f"{kind}/{role}/{INDEX}"] = write_index(entries, site, kind, role)
    targets = Targets(
        version=version,
        expires=unix(at + life),
        targets={path: TargetFile.from_data(path, data, ["sha256"]) for path, data in sorted(files.items())},
        unrecognized_fields=fields(site, at),
    )
    return Metadata(targets), files


def make_catalogue(
    site: str, role: str, catalogue: bytes, *, version: int, at: int, life: int
) -> tuple[Metadata[Any], dict[str, bytes]]:
    """Unsigned metadata of a content role, and its one file. Raises what reading it on a laptop would."""
    told = Catalogue.from_bytes(catalogue)
    if (told.site, told.role) != (site, role):
        raise BookbagError(
            "wrong-site", f"cannot stage the catalogue of {role}: it is of another site or role"
        )
    path = catalogue_path(role)
    targets = Targets(
        version=version,
        expires=unix(at + life),
        targets={path: TargetFile.from_data(path, catalogue, ["sha256"])},
        unrecognized_fields=fields(site, at),
    )
    return Metadata(targets), {path: catalogue}


def make_mail(site: str, key: PublicKey, bits: int, *, version: int, at: int, life: int) -> Metadata[Any]:
    """Unsigned mail metadata: it only delegates to its bins."""
    targets = Targets(
        version=version,
        expires=unix(at + life),
        delegations=Delegations(
            {key.keyid: metadata.tuf_key(key)},
            succinct_roles=SuccinctRoles([key.keyid], 1, bits, MAIL_BIN),
        ),
        unrecognized_fields=fields(site, at),
    )
    return Metadata(targets)


def bins_of(mail: Any) -> SuccinctRoles:
    """The bins that mail metadata (its signed part) delegates to. Raises ``internal`` if it has none."""
    found = metadata.delegations(mail, MAIL).succinct_roles
    if found is None:
        raise BookbagError("internal", "cannot file mail: no bins")
    return found
