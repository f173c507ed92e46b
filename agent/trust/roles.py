"""One policy or power role: its signed list of documents, verified on its own, so that a bad one costs only
itself. (Content roles share the checks on metadata: `agent.trust.contentroles`.)

`STEPS` are the checks on a role's metadata, each a small function that raises. What fails is refused; what
the same role had brought before stays in force (I-5), as long as today's delegation still covers the
signatures under it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Targets

from agent.core.errors import BookbagError
from agent.trust import floors, metadata
from agent.trust.index import IndexEntry, read_index
from agent.trust.paths import (
    INDEX,
    MOST_DOCUMENT,
    MOST_DOCUMENTS,
    is_document_name,
    role_name,
    target_file,
)
from agent.trust.persons import TrustDocument
from agent.trust.view import SignedCatalogue, SignedDocument

#: Reads a target by its place in the repository (`targets/…`); None if it is not there.
ReadTarget = Callable[[str], bytes | None]


@dataclass(slots=True)
class RoleDraft:
    """A role's metadata on its way through the steps. ``least_version``: what was accepted before.
    ``least_signed``: older signatures do not count (recovering)."""

    kind: str  #: "policy", "power" or "content"
    role: str
    delegation: DelegatedRole
    delegations: Delegations
    trust: TrustDocument
    signed: Metadata[Any]
    least_version: int = 0
    least_signed: int = 0
    persons: tuple[str, ...] = ()
    index: Mapping[str, IndexEntry] = field(default_factory=dict)
    documents: tuple[SignedDocument, ...] = ()
    catalogue: SignedCatalogue | None = None
    files: dict[str, bytes] = field(default_factory=dict)  #: its targets, by place in the repository

    @property
    def name(self) -> str:
        """The delegated role's name."""
        return role_name(self.kind, self.role)

    @property
    def targets(self) -> Targets:
        """The signed part."""
        return cast("Targets", self.signed.signed)


def check_type(draft: RoleDraft) -> None:
    """It is targets metadata that delegates to nobody else: each role has one parent, and these have no
    children."""
    if draft.signed.signed.type != Targets.type or draft.targets.delegations is not None:
        raise BookbagError("bad-metadata", f"cannot accept {draft.name}: not a plain list of documents")


def check_site(draft: RoleDraft) -> None:
    """It is of this site."""
    metadata.check_site(draft.targets, draft.trust.site, draft.name)


def check_persons(draft: RoleDraft) -> None:
    """Enough different persons of the role signed: two for power, whatever the delegation says (I-4); and the
    role may sign this kind of thing at all."""
    rule = draft.trust.roles[draft.role]
    if not {"policy": bool(rule.ranks), "power": rule.power, "content": rule.content}[draft.kind]:
        raise BookbagError(
            "not-allowed", f"cannot accept {draft.name}: trust.json gives {draft.role} no {draft.kind}"
        )
    owners = {key: person for key, person in draft.trust.owners().items() if person in rule.persons}
    least = floors.ROLE_PERSONS[draft.kind]
    found = metadata.persons_of(draft.signed, draft.delegation, draft.delegations.keys, owners)
    draft.persons = metadata.check_persons(found, max(least, draft.delegation.threshold), draft.name)


def check_version(draft: RoleDraft) -> None:
    """It is no older than what this laptop has accepted of the role."""
    if draft.targets.version < draft.least_version:
        raise BookbagError(
            "rollback",
            f"cannot accept {draft.name} {draft.targets.version}: {draft.least_version} was accepted before",
            place=draft.name,
        )


def check_recovering(draft: RoleDraft) -> None:
    """A laptop without its memory takes nothing signed before it noticed."""
    if draft.least_signed and metadata.signed_at(draft.targets, draft.name) < draft.least_signed:
        raise BookbagError(
            "recovering", f"cannot accept {draft.name}: signed before this laptop lost its trust ledger"
        )


def check_paths(draft: RoleDraft) -> None:
    """It lists documents of its own folder only, under plain names, not too many, not too large."""
    prefix = f"{draft.kind}/{draft.role}/"
    if len(draft.targets.targets) > MOST_DOCUMENTS + 1:
        raise BookbagError("too-many", f"cannot accept {draft.name}: more than {MOST_DOCUMENTS} documents")
    for path, info in draft.targets.targets.items():
        name = path.removeprefix(prefix)
        if not path.startswith(prefix) or not (is_document_name(name) or name == INDEX):
            raise BookbagError(
                "bad-path", f"cannot accept {draft.name}: it may not name {path[:80]!r}", place=path[:80]
            )
        if info.length > MOST_DOCUMENT or "sha256" not in info.hashes:
            raise BookbagError(
                "too-large", f"cannot accept {draft.name}: {path} is too large or not hashed", place=path
            )


def read_entries(draft: RoleDraft) -> None:
    """Its index, and its documents with the standing that the role gives them."""
    if not draft.targets.targets:
        return
    prefix = f"{draft.kind}/{draft.role}/"
    if f"{prefix}{INDEX}" not in draft.targets.targets:
        raise BookbagError("bad-metadata", f"cannot accept {draft.name}: it has no {INDEX}")
    draft.index = read_index(_content(draft, INDEX), draft.trust.site, draft.kind, draft.role)
    nothing = IndexEntry("")
    draft.documents = tuple(
        SignedDocument(
            name=name,
            role=draft.role,
            power=draft.kind == "power",
            ranks=draft.trust.roles[draft.role].ranks,
            persons=draft.persons,
            sha256=hashlib.sha256(_content(draft, name)).hexdigest(),
            data=_content(draft, name),
            rank=draft.index.get(name, nothing).rank,
            targeted=draft.index.get(name, nothing).targeted,
        )
        for name in sorted(path.removeprefix(prefix) for path in draft.targets.targets)
        if name != INDEX
    )


def check_index(draft: RoleDraft) -> None:
    """Its index lists exactly the documents that it signs for, with their hashes and ranks that the role
    may use."""
    if {name: one.sha256 for name, one in draft.index.items()} != {
        one.name: one.sha256 for one in draft.documents
    }:
        raise BookbagError(
            "bad-metadata", f"cannot accept {draft.name}: its {INDEX} lists other documents than it signs"
        )
    for name, entry in draft.index.items():
        if entry.rank and entry.rank not in draft.trust.roles[draft.role].ranks:
            raise BookbagError(
                "not-allowed",
                f"cannot accept {draft.name}: {draft.role} may not use rank {entry.rank}",
                place=name,
            )


Step = Callable[[RoleDraft], None]
#: Checked in this order, every one of them, before any document of the role is taken.
STEPS: tuple[Step, ...] = (
    check_type,
    check_site,
    check_persons,
    check_version,
    check_recovering,
    check_paths,
)
#: After the documents were read.
CONTENT_STEPS: tuple[Step, ...] = (read_entries, check_index)


def verify(draft: RoleDraft, read: ReadTarget) -> None:
    """Take a role's documents, or raise BookbagError and take none of them."""
    for step in STEPS:
        step(draft)
    take_files(draft, read)
    for step in CONTENT_STEPS:
        step(draft)


def take_files(draft: RoleDraft, read: ReadTarget) -> None:
    """Read every target of the role, each exactly what was signed. Raises ``not-found``, ``bad-metadata``."""
    for path, info in draft.targets.targets.items():
        place = target_file(path, info.hashes["sha256"])
        data = read(place)
        if data is None:
            raise BookbagError("not-found", f"cannot accept {draft.name}: {path} is missing", place=place)
        if len(data) != info.length or hashlib.sha256(data).hexdigest() != info.hashes["sha256"]:
            raise BookbagError(
                "bad-metadata", f"cannot accept {draft.name}: {path} is not what was signed", place=place
            )
        draft.files[place] = data


def _content(draft: RoleDraft, name: str) -> bytes:
    return content_of(draft, f"{draft.kind}/{draft.role}/{name}")


def content_of(draft: RoleDraft, path: str) -> bytes:
    """The bytes of the role's target ``path``, once they were read."""
    return draft.files[target_file(path, draft.targets.targets[path].hashes["sha256"])]
