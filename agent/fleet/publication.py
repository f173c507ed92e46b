"""From folder to docroot: stage what differs, gather signatures, seal orders into mailboxes, publish what
is complete."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from tuf.api.metadata import Root

from agent.core.errors import BookbagError
from agent.fleet import onlinekeys
from agent.fleet.content.store import Store
from agent.fleet.folder import Folder
from agent.fleet.keyring import Keyring
from agent.fleet.mailing import Lacking, file_orders, trust_in_force
from agent.fleet.review import require_honest
from agent.fleet.wanted import Wanted
from agent.trust import metadata
from agent.trust.catalogue import Catalogue, CatalogueItem
from agent.trust.paths import CONTENT, KINDS, ROLE_KINDS, role_name
from agent.trust.persons import TrustDocument
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.publish import Published
from agent.trust.site.repository import SiteRepository
from agent.trust.site.signing import Pending
from agent.trust.site.staging import Holders

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
            changed.append(role_name(KINDS[power], role))
    changed += [
        role_name(CONTENT, role)
        for role, data in sorted(wanted.catalogues.items())
        if data != repository.catalogue(role)
    ]
    return changed


def stage(folder: Folder, repository: SiteRepository, wanted: Wanted, now: int) -> list[str]:
    """Stage every role whose folder content differs from what is staged or published; returns their names.

    Signatures that were gathered for content that is still wanted are kept.
    """
    staged = _stage_trust(folder, repository, wanted, now)
    for (role, power), documents in sorted(wanted.documents.items()):
        name = role_name(KINDS[power], role)
        present = repository.documents(role, power=power)
        if {key: one.data for key, one in documents.items()} == present:
            if name not in staged and _is_stale(folder, repository, name, wanted, now):
                repository.stage_documents(role, documents, at=now, power=power)
                staged.append(name)
            continue
        if repository.stage_documents(role, documents, at=now, power=power) is not None:
            staged.append(name)
    staged += _stage_catalogues(folder, repository, wanted, now)
    staged += _renew(repository, staged, now)
    return staged


def _stage_catalogues(folder: Folder, repository: SiteRepository, wanted: Wanted, now: int) -> list[str]:
    staged = []
    for role, data in sorted(wanted.catalogues.items()):
        name = role_name(CONTENT, role)
        same = data == repository.catalogue(role)
        if same and not _is_stale(folder, repository, name, wanted, now):
            continue
        if repository.stage_catalogue(role, data, at=now) is not None:
            staged.append(name)
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
            names += [one for kind in ROLE_KINDS if (one := role_name(kind, name)) in published]
    return names


def _renew(repository: SiteRepository, staged: Sequence[str], now: int) -> list[str]:
    """Stage again, unchanged, what has less than a third of its life left."""
    lives = repository.lives
    renewed = []
    pending = {one.role for one in repository.pending()}
    for role, expires in sorted(repository.expiries().items()):
        offline = role in ("root", "targets") or role.partition("-")[0] in ROLE_KINDS
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


def damaged(folder: Folder) -> list[tuple[str, BookbagError]]:
    """Staged files that cannot be read: half-written, or edited by hand."""
    files = RepositoryFiles(str(folder.root))
    found = []
    for role in files.staged_roles():
        try:
            files.staged(role)
        except BookbagError as error:
            found.append((role, error))
    return found


def drop_damaged(folder: Folder, repository: SiteRepository) -> list[str]:
    """Throw away damaged staged files: staging makes them anew from the folder, signatures are given again.

    Not before the first publication: then the staged root is the only one there is.
    """
    names = [role for role, _ in damaged(folder)]
    if names and not (folder.published / "metadata" / "timestamp.json").exists():
        raise BookbagError(
            "bad-metadata",
            "cannot read it, and nothing is published yet to go on from",
            place=f"staged/metadata/{names[0]}.json",
            remedy="restore it from git, or begin again with bookbag-fleet init",
        )
    for role in names:
        repository.discard(role)
    return names


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


# -- publishing


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one publish came to."""

    staged: tuple[str, ...]
    signed: tuple[Signature, ...]
    published: Published | None
    waiting: tuple[Pending, ...]
    mailed: tuple[str, ...]
    lacking: tuple[Lacking, ...]  #: orders that cannot be filed yet
    dropped: tuple[str, ...] = ()  #: damaged staged files that were thrown away and staged anew
    elsewhere: bool = False  #: signed here, to be published on the machine with the online keys


def publish(
    folder: Folder,
    wanted: Wanted,
    keyring: Keyring,
    persons: Sequence[str],
    now: int,
    *,
    step: Callable[[], None] = lambda: None,
) -> Outcome:
    """Stage, sign, file, publish. What lacks signatures stays staged and is reported. ``step`` hears of
    each laptop."""
    repository = open_repository(folder)
    dropped = drop_damaged(folder, repository)
    staged = stage(folder, repository, wanted, now)
    signed = sign_all(folder, repository, wanted, keyring, persons, now)
    outcome = finish(folder, repository, wanted, now, staged=staged, signed=signed, step=step)
    return dataclasses.replace(outcome, dropped=tuple(dropped))


def _offered(
    repository: SiteRepository, wanted: Wanted, blocked: set[str]
) -> Iterator[tuple[str, CatalogueItem]]:
    """(role, item) of everything that laptops will be offered: its bytes must be there first."""
    for role, rule in sorted(wanted.site.roles.items()):
        data = (
            repository.catalogue(role, published=role_name(CONTENT, role) in blocked)
            if rule.content
            else None
        )
        for item in Catalogue.from_bytes(data).items if data else ():
            yield role, item


def finish(
    folder: Folder,
    repository: SiteRepository,
    wanted: Wanted,
    now: int,
    *,
    staged: Sequence[str] = (),
    signed: Sequence[Signature] = (),
    step: Callable[[], None] = lambda: None,
) -> Outcome:
    """Publish whatever is complete."""
    waiting = tuple(one for one in repository.pending() if not one.ready)
    blocked = {one.role for one in waiting}
    if not (folder.published / "metadata" / "timestamp.json").exists() and blocked & {"root", "targets"}:
        return Outcome(tuple(staged), tuple(signed), None, waiting, (), ())
    if signed and not onlinekeys.here(folder):
        return Outcome(tuple(staged), tuple(signed), None, waiting, (), (), elsewhere=True)
    mailed = file_orders(
        folder, repository, trust_in_force(folder, wanted.trust, "targets" in blocked), now, step
    )
    online = onlinekeys.load(folder)
    store = Store(folder)
    store.offer(_offered(repository, wanted, blocked))
    published = repository.publish(online, at=now)
    store.prune()
    return Outcome(tuple(staged), tuple(signed), published, published.waiting, mailed.filed, mailed.lacking)
