"""From folder to docroot: stage what differs, gather signatures, seal orders into mailboxes, publish what
is complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from tuf.api.metadata import Root

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet import assignment, filed, onlinekeys
from agent.fleet.folder import Folder
from agent.fleet.keyring import Keyring
from agent.fleet.records import DeviceRecord
from agent.fleet.review import require_honest
from agent.fleet.wanted import Wanted
from agent.trust import dsse, metadata
from agent.trust.identity import mailbox_name
from agent.trust.keys import SealPublicKey
from agent.trust.orders import make_mailbox
from agent.trust.persons import TrustDocument
from agent.trust.sealing import seal
from agent.trust.site import signing
from agent.trust.site.files import Folder as RepositoryFiles
from agent.trust.site.publish import Published
from agent.trust.site.repository import SiteRepository
from agent.trust.site.signing import Pending
from agent.trust.site.staging import Holders

#: Which content each mailbox was last sealed with: sealing anew would change every mailbox at every
#: publication.
_FILED = "orders/filed.json"
#: What is signed again before it expires: when less than this part of its life is left.
RENEW_BELOW = 3


def open_repository(folder: Folder) -> SiteRepository:
    """The site repository in the folder. Raises ``not-found``."""
    return SiteRepository.open(str(folder.root))


# -- staging


def changed_roles(folder: Folder, repository: SiteRepository, wanted: Wanted) -> list[str]:
    """Roles whose content in the folder is neither staged nor published."""
    changed = []
    if repository.trust().to_bytes() != wanted.trust.to_bytes():
        changed.append("targets")
    if root_holders(folder) != _holder_keys(wanted.holders):
        changed.append("root")
    for (role, power), documents in sorted(wanted.documents.items()):
        if {name: one.data for name, one in documents.items()} != repository.documents(role, power=power):
            changed.append(f"{'power' if power else 'policy'}-{role}")
    return changed


def stage(folder: Folder, repository: SiteRepository, wanted: Wanted, now: int) -> list[str]:
    """Stage every role whose folder content differs from what is staged or published; returns their names.

    Signatures that were gathered for content that is still wanted are kept.
    """
    staged = _stage_trust(folder, repository, wanted, now)
    for (role, power), documents in sorted(wanted.documents.items()):
        name = f"{'power' if power else 'policy'}-{role}"
        present = repository.documents(role, power=power)
        if {key: one.data for key, one in documents.items()} == present:
            if name not in staged and _is_stale(folder, repository, name, wanted, now):
                repository.stage_documents(role, documents, at=now, power=power)
                staged.append(name)
            continue
        if repository.stage_documents(role, documents, at=now, power=power) is not None:
            staged.append(name)
    staged += _renew(repository, staged, now)
    return staged


def _is_stale(folder: Folder, repository: SiteRepository, role: str, wanted: Wanted, now: int) -> bool:
    """Whether a staged version exists that this folder would not make any more (other index, other
    version)."""
    if role not in {one.role for one in repository.pending()}:
        return False
    try:
        require_honest(str(folder.root), repository, role, wanted, now)
    except BookbagError:
        return True
    return False


def _stage_trust(folder: Folder, repository: SiteRepository, wanted: Wanted, now: int) -> list[str]:
    staged = []
    before = repository.trust()
    if before.to_bytes() != wanted.trust.to_bytes() or _is_stale(folder, repository, "targets", wanted, now):
        repository.stage_trust(wanted.trust, at=now, mail=wanted.online)
        staged.append("targets")
        for name in _weakened(before, wanted.trust, repository):
            repository.renew(name, at=now)
            staged.append(name)
    told = root_holders(folder)
    if told is not None and (
        told != _holder_keys(wanted.holders) or _is_stale(folder, repository, "root", wanted, now)
    ):
        repository.rotate(at=now, holders=wanted.holders, online=wanted.online)
        staged.append("root")
    return staged


def _weakened(before: TrustDocument, after: TrustDocument, repository: SiteRepository) -> list[str]:
    """Published roles that a person left: their remaining signatures may not be enough any more."""
    published = repository.expiries()
    names = []
    for name, role in before.roles.items():
        left = after.roles.get(name)
        if left is not None and set(role.persons) - set(left.persons):
            names += [one for one in (f"policy-{name}", f"power-{name}") if one in published]
    return names


def _renew(repository: SiteRepository, staged: Sequence[str], now: int) -> list[str]:
    """Stage again, unchanged, what has less than a third of its life left."""
    lives = repository.lives
    renewed = []
    pending = {one.role for one in repository.pending()}
    for role, expires in sorted(repository.expiries().items()):
        offline = role in ("root", "targets") or role.startswith(("policy-", "power-"))
        life = {"root": lives.root, "targets": lives.targets}.get(role, lives.role)
        if offline and role not in pending and role not in staged and expires - now < life // RENEW_BELOW:
            repository.renew(role, at=now)
            renewed.append(role)
    return renewed


def root_holders(folder: Folder) -> dict[str, str] | None:
    """Person → key (hex) of those who hold root, as staged, else as published; None before there is any
    root."""
    files = RepositoryFiles(str(folder.root))
    found = files.staged("root") or files.root()
    if found is None:
        return None
    root = cast("Root", found.signed)
    persons = metadata.root_fields(root).persons
    return {persons[one]: metadata.raw_key(root.keys[one]).hex for one in root.roles["root"].keyids}


def _holder_keys(holders: Holders) -> dict[str, str]:
    return {person: key.hex for person, key in holders.root.items()}


# -- signing


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature given in this run. ``what``: a role, or ``order NAME``."""

    what: str
    person: str


def sign_all(
    folder: Folder,
    repository: SiteRepository,
    wanted: Wanted,
    keyring: Keyring,
    persons: Sequence[str],
    now: int,
) -> list[Signature]:
    """Add the signatures of ``persons`` to whatever is staged and theirs to sign, after looking at each."""
    given = []
    for pending in repository.pending():
        signers = [one for one in persons if one in pending.may and one not in pending.have]
        if signers:
            require_honest(str(folder.root), repository, pending.role, wanted, now)
        for person in signers:
            repository.sign(pending.role, keyring.person(person).sign)
            given.append(Signature(pending.role, person))
    return given


# -- orders


def file_orders(
    folder: Folder, repository: SiteRepository, trust: TrustDocument
) -> tuple[list[str], list[str]]:
    """Seal each laptop's order into its mailbox where it changed. Returns (filed, lacking signatures), by
    laptop."""
    told = filed.read(folder)
    before = dict(told)
    lacking: list[str] = []
    changed: list[str] = []
    live: set[str] = set()
    for record in folder.devices():
        envelope = _live_order(folder, record, trust, lacking)
        if envelope is None or record.device is None or record.seal_key is None:
            continue
        live.add(record.name)
        wanted = filed.describe(record, envelope)
        if told.get(record.name) == wanted:
            continue
        box = seal(make_mailbox([envelope]), SealPublicKey.from_hex(record.seal_key), purpose="mail")
        repository.file_mail(mailbox_name(trust.site, record.device), box)
        _empty_former(repository, trust.site, told.get(record.name), record.device)
        told[record.name] = wanted
        changed.append(record.name)
    for name in sorted(set(told) - live - set(lacking)):
        _empty_former(repository, trust.site, told.pop(name), None)
    if told != before:
        # Only after every box lies in staged/mail: a crash before this seals some of them once more, which
        # is harmless.
        filed.write(folder, told)
    return changed, lacking


def _empty_former(
    repository: SiteRepository, site: str, last: filed.Filed | None, present: str | None
) -> None:
    """Take away the mailbox of a laptop's former life."""
    if last is not None and last.device != present:
        repository.file_mail(mailbox_name(site, last.device), None)


def _live_order(
    folder: Folder, record: DeviceRecord, trust: TrustDocument, lacking: list[str]
) -> bytes | None:
    """The newest assignment of a laptop if enough persons signed it as this site trusts them now."""
    if record.state != "assigned":
        return None
    envelope = assignment.read_order(folder, record.name)
    if envelope is None:
        return None
    kind = assignment.KIND
    try:
        signed = dsse.open_envelope(envelope, trust.entitled(kind), trust.needed(kind), dsse.ORDER_TYPE)
    except BookbagError as error:
        if error.code not in ("under-signed", "bad-signature"):
            raise BookbagError(error.code, error.message, place=f"orders/{record.name}/assign.json") from None
        lacking.append(record.name)
        return None
    payload = jsontext.parse(signed.payload, what="order")
    if not isinstance(payload, dict) or (payload.get("device"), payload.get("epoch")) != (
        record.device,
        trust.epoch,
    ):
        lacking.append(record.name)
        return None
    return envelope


# -- publishing


def _trust_in_force(folder: Folder, wanted: TrustDocument, blocked: bool) -> TrustDocument:
    """By which trust laptops will judge orders after this publication: the new one only if it is published
    with it."""
    files = RepositoryFiles(str(folder.root))
    published = files.published("targets")
    return signing.trust_of(files, published.signed) if blocked and published else wanted


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one publish came to."""

    staged: tuple[str, ...]
    signed: tuple[Signature, ...]
    published: Published | None
    waiting: tuple[Pending, ...]
    mailed: tuple[str, ...]
    lacking: tuple[str, ...]  #: laptops whose orders lack signatures


def publish(folder: Folder, wanted: Wanted, keyring: Keyring, persons: Sequence[str], now: int) -> Outcome:
    """Stage, sign, file, publish. What lacks signatures stays staged and is reported."""
    repository = open_repository(folder)
    staged = stage(folder, repository, wanted, now)
    signed = sign_all(folder, repository, wanted, keyring, persons, now)
    return finish(folder, repository, wanted, now, staged=staged, signed=signed)


def finish(
    folder: Folder,
    repository: SiteRepository,
    wanted: Wanted,
    now: int,
    *,
    staged: Sequence[str] = (),
    signed: Sequence[Signature] = (),
) -> Outcome:
    """Publish whatever is complete."""
    waiting = tuple(one for one in repository.pending() if not one.ready)
    blocked = {one.role for one in waiting}
    if not (folder.published / "metadata" / "timestamp.json").exists() and blocked & {"root", "targets"}:
        return Outcome(tuple(staged), tuple(signed), None, waiting, (), ())
    mailed, lacking = file_orders(
        folder, repository, _trust_in_force(folder, wanted.trust, "targets" in blocked)
    )
    published = repository.publish(onlinekeys.load(folder), at=now)
    return Outcome(tuple(staged), tuple(signed), published, published.waiting, tuple(mailed), tuple(lacking))
