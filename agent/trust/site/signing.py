"""Gathering persons' signatures on staged metadata, and judging it exactly as a laptop will."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from securesystemslib.signer import Key, Signature
from tuf.api.metadata import Metadata, Role, Root, Targets

from agent.core.errors import BookbagError
from agent.trust import floors, metadata
from agent.trust.keys import SigningKey
from agent.trust.paths import ROLE_KINDS, TRUST_TARGET
from agent.trust.persons import TrustDocument
from agent.trust.site.files import RepositoryFiles


@dataclass(frozen=True, slots=True)
class Pending:
    """A staged version, who signed it, and who may. ``missing``: how many more different persons it needs."""

    role: str
    version: int
    needed: int
    have: tuple[str, ...]
    may: tuple[str, ...]
    missing: int

    @property
    def ready(self) -> bool:
        """Whether it can be published."""
        return self.missing == 0


@dataclass(frozen=True, slots=True)
class Rule:
    """Whose signatures count for a role: listed keys, who owns them, how many persons it takes."""

    role: Role
    keys: Mapping[str, Key]
    owners: Mapping[str, str]  #: raw key in hex → person
    needed: int

    def have(self, signed: Metadata[Any]) -> tuple[str, ...]:
        """The different persons who signed."""
        return metadata.persons_of(signed, self.role, self.keys, self.owners)

    def may(self) -> tuple[str, ...]:
        """The persons whose signatures would count."""
        listed = (metadata.raw_key(self.keys[keyid]).hex for keyid in self.role.keyids if keyid in self.keys)
        return tuple(sorted({self.owners[key] for key in listed if key in self.owners}))


def add_signature(signed: Metadata[Any], key: SigningKey) -> None:
    """Sign in place; a second signature by the same key replaces the first."""
    made = key.sign(signed.signed_bytes).hex()
    signed.signatures[key.public.keyid] = Signature(key.public.keyid, made)


def root_rule(root: Root, role: str) -> Rule:
    """Whose signatures ``root`` counts for root or targets."""
    least = floors.ROOT_PERSONS if role == Root.type else floors.TARGETS_PERSONS
    listed = root.roles[role]
    return Rule(listed, root.keys, metadata.root_owners(root), max(least, listed.threshold))


def role_rule(targets: Targets, trust: TrustDocument, role: str) -> Rule:
    """Whose signatures ``targets`` and trust.json count for a policy, power or content role. Raises
    ``not-found``."""
    kind, _, name = role.partition("-")
    delegations = targets.delegations
    delegated = (delegations.roles or {}).get(role) if delegations else None
    if delegations is None or delegated is None or kind not in ROLE_KINDS or name not in trust.roles:
        raise BookbagError("not-found", f"cannot find role {role}: trust.json does not delegate to it")
    least = floors.ROLE_PERSONS[kind]
    owners = {key: person for key, person in trust.owners().items() if person in trust.roles[name].persons}
    return Rule(delegated, delegations.keys, owners, max(least, delegated.threshold))


def trust_of(folder: RepositoryFiles, targets: Targets) -> TrustDocument:
    """The trust.json that ``targets`` names, staged or published."""
    data = folder.target(TRUST_TARGET, targets.targets[TRUST_TARGET])
    if data is None:
        raise BookbagError(
            "not-found",
            "cannot find the trust.json that targets names",
            place=folder.at("staged", "targets", TRUST_TARGET),
            remedy="stage it again",
        )
    return TrustDocument.from_bytes(data)


def rules(folder: RepositoryFiles, role: str) -> list[Rule]:
    """Every rule that the staged ``role`` must satisfy: the new root's own and the old root's; the present
    delegator's."""
    if role == Root.type:
        roots = [signed.signed for signed in (folder.root(), folder.staged("root")) if signed is not None]
        return [root_rule(cast("Root", root), "root") for root in roots]
    root = folder.staged("root") or folder.root()
    if root is None:
        raise BookbagError("not-found", "cannot judge signatures: there is no root", place=folder.path)
    if role == Targets.type:
        return [root_rule(cast("Root", root.signed), "targets")]
    targets = folder.staged("targets") or folder.published("targets")
    if targets is None:
        raise BookbagError("not-found", "cannot judge signatures: there is no targets", place=folder.path)
    signed = cast("Targets", targets.signed)
    return [role_rule(signed, trust_of(folder, signed), role)]


def pending(folder: RepositoryFiles, role: str) -> Pending:
    """How far the staged version of ``role`` is."""
    signed = folder.staged(role)
    if signed is None:
        raise BookbagError("not-found", f"cannot find a staged version of {role}", place=folder.at("staged"))
    found = rules(folder, role)
    have = [rule.have(signed) for rule in found]
    missing = max(max(0, rule.needed - len(persons)) for rule, persons in zip(found, have, strict=True))
    return Pending(
        role=role,
        version=signed.signed.version,
        needed=max(rule.needed for rule in found),
        have=tuple(sorted(set().union(*have))),
        may=tuple(sorted(set().union(*(rule.may() for rule in found)))),
        missing=missing,
    )


def sign(folder: RepositoryFiles, role: str, key: SigningKey) -> Pending:
    """Add ``key``'s signature to the staged ``role``. Raises ``bad-signature`` if it would not count."""
    signed = folder.staged(role)
    if signed is None:
        raise BookbagError(
            "not-found", f"cannot sign {role}: nothing is staged for it", place=folder.at("staged")
        )
    listed = {
        metadata.raw_key(rule.keys[keyid]).raw
        for rule in rules(folder, role)
        for keyid in rule.role.keyids
        if keyid in rule.keys
    }
    if key.public.raw not in listed:
        raise BookbagError("bad-signature", f"cannot sign {role}: this key is not listed for it")
    add_signature(signed, key)
    folder.stage(role, signed)
    return pending(folder, role)
