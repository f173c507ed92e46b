"""`SiteRepository`: the desk's one handle on a site's repository in IT's folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tuf.api.metadata import Metadata, Root, Targets

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.trust import metadata
from agent.trust.catalogue import catalogue_path
from agent.trust.commandlog import CommandLog
from agent.trust.fields import Fields
from agent.trust.keys import PublicKey, SigningKey
from agent.trust.paths import CONTENT, INDEX, KINDS, MAIL, TRUST_TARGET, role_name
from agent.trust.persons import TrustDocument
from agent.trust.site import publish, signing, staging
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.mailroom import Mailroom
from agent.trust.site.online import Online, OnlinePublic
from agent.trust.site.profiles import Lives, Profile, lives, profile
from agent.trust.site.publish import Published
from agent.trust.site.signing import Pending
from agent.trust.site.staging import Holders, PolicyFile

VERSION = 1
_SETTINGS = "repository.json"
DEFAULT_BITS = 5  #: 32 mail bins


class SiteRepository:
    """One site's repository. Staging writes unsigned next versions; `sign` gathers persons; `publish` makes
    them public.

    Times (``at``) are unix seconds from the desk's clock.
    """

    def __init__(self, folder: RepositoryFiles, site: str, how: Profile, life: Lives, bits: int) -> None:
        self._folder = folder
        self.site = site
        self.profile = how
        self.lives = life
        self._bits = bits

    # -- beginning

    @classmethod
    def create(  # noqa: PLR0913 - each is a decision of the founders, named at the one call
        cls,
        folder: str,
        trust: TrustDocument,
        holders: Holders,
        online: OnlinePublic,
        *,
        at: int,
        profile_name: str = "three-admin",
        sneakernet: bool = False,
        bits: int = DEFAULT_BITS,
    ) -> SiteRepository:
        """A new repository: root and targets are staged and wait for signatures. Raises ``already-done``,
        ``under-signed``, ``duplicate-person``."""
        place = RepositoryFiles(folder)
        if place.read(_SETTINGS) is not None:
            raise BookbagError("already-done", "cannot create repository: there is one", place=folder)
        how = profile(profile_name)
        holders.check(how)
        settings = {
            "v": VERSION,
            "site": trust.site,
            "profile": how.name,
            "sneakernet": sneakernet,
            "mail_bits": bits,
        }
        made = cls(place, check_name(trust.site, "a site's id"), how, lives(sneakernet), bits)
        root = staging.make_root(
            trust.site,
            holders,
            online,
            how,
            version=1,
            epoch=trust.epoch,
            least_targets=1,
            upstream={},
            at=at,
            life=made.lives.root,
        )
        place.stage("root", root)
        made._stage_targets(trust, online, at)
        place.write(jsontext.pretty(settings).encode(), _SETTINGS)
        return made

    @classmethod
    def open(cls, folder: str) -> SiteRepository:
        """An existing repository. Raises ``not-found``, ``bad-config``."""
        place = RepositoryFiles(folder)
        data = place.read(_SETTINGS)
        if data is None:
            raise BookbagError(
                "not-found",
                "cannot open repository: no repository.json",
                place=folder,
                remedy="run init first",
            )
        top = Fields(jsontext.parse(data, what=place.at(_SETTINGS)), _SETTINGS, code="bad-config")
        top.version(VERSION)
        return cls(
            place,
            top.name("site"),
            profile(top.text("profile", 32)),
            lives(top.boolean("sneakernet", False)),
            top.integer("mail_bits", 1, 12),
        )

    # -- what there is

    @property
    def docroot(self) -> str:
        """The folder that a static host serves."""
        return self._folder.docroot

    def root_bytes(self) -> bytes:
        """The newest published root, for enrol files. Raises ``not-found`` before the first publication."""
        versions = self._folder.roots()
        data = self._folder.read("published", "metadata", f"{versions[-1]}.root.json") if versions else None
        if data is None:
            raise BookbagError(
                "not-found", "cannot read root: nothing is published yet", place=self._folder.path
            )
        return data

    def trust(self) -> TrustDocument:
        """trust.json as staged, else as published."""
        return signing.trust_of(self._folder, self._targets())

    def documents(self, role: str, *, power: bool = False, published: bool = False) -> dict[str, bytes]:
        """The role's documents as staged, else as published (with ``published``: only that), by name."""
        name = role_name(KINDS[power], role)
        signed = (None if published else self._folder.staged(name)) or self._folder.published(name)
        found: dict[str, bytes] = {}
        for path, info in (cast("Targets", signed.signed).targets if signed else {}).items():
            file = path.rpartition("/")[2]
            data = self._folder.target(path, info)
            if data is not None and file != INDEX:
                found[file] = data
        return found

    def catalogue(self, role: str, *, published: bool = False) -> bytes | None:
        """The role's catalogue as staged, else as published (with ``published``: only that); None if there is
        none."""
        name, path = role_name(CONTENT, role), catalogue_path(role)
        signed = (None if published else self._folder.staged(name)) or self._folder.published(name)
        info = cast("Targets", signed.signed).targets.get(path) if signed else None
        return self._folder.target(path, info) if info else None

    def pending(self) -> tuple[Pending, ...]:
        """Staged versions and whose signatures they wait for."""
        return tuple(signing.pending(self._folder, role) for role in self._folder.staged_roles())

    def expiries(self) -> dict[str, int]:
        """Published role → unix seconds of its expiry, for reminders."""
        snapshot, root, timestamp = self._folder.snapshot(), self._folder.root(), self._folder.timestamp()
        names = [name.removesuffix(".json") for name in (snapshot.signed.meta if snapshot else {})]
        found = {name: self._folder.published(name) for name in names}
        told: dict[str, Metadata[Any] | None] = {
            **cast("dict[str, Metadata[Any] | None]", found),
            "root": cast("Metadata[Any] | None", root),
            "snapshot": cast("Metadata[Any] | None", snapshot),
            "timestamp": cast("Metadata[Any] | None", timestamp),
        }
        return {name: int(one.signed.expires.timestamp()) for name, one in told.items() if one}

    def version(self, role: str) -> int:
        """Of the published metadata of root, targets or a delegated role; 0 before there is any."""
        found = self._folder.root() if role == Root.type else self._folder.published(role)
        return found.signed.version if found else 0

    # -- next versions

    def stage_documents(
        self, role: str, documents: Mapping[str, bytes | PolicyFile], *, at: int, power: bool = False
    ) -> Pending | None:
        """Stage the whole set of ``role``'s documents (earlier ones not named are withdrawn).

        None, and nothing is staged, if that is exactly what is published already. Raises ``not-found`` (no
        such role), ``too-large``, ``too-many``, ``bad-argument``.
        """
        kind = KINDS[power]
        name = role_name(kind, role)
        signing.rules(self._folder, name)
        files = {
            key: one if isinstance(one, PolicyFile) else PolicyFile(one) for key, one in documents.items()
        }
        published = self._folder.published(name)
        made, targets = staging.make_role(
            self.site,
            kind,
            role,
            files,
            version=published.signed.version + 1 if published else 1,
            at=at,
            life=self.lives.role,
        )
        return self._stage_role(name, published, made, targets)

    def stage_catalogue(self, role: str, catalogue: bytes, *, at: int) -> Pending | None:
        """Stage the catalogue of ``role``'s learning content. None, and nothing is staged, if that is exactly
        what is published already. Raises ``not-found`` (no content role of that name), ``bad-metadata``,
        ``too-large``."""
        name = role_name(CONTENT, role)
        signing.rules(self._folder, name)
        published = self._folder.published(name)
        made, targets = staging.make_catalogue(
            self.site,
            role,
            catalogue,
            version=published.signed.version + 1 if published else 1,
            at=at,
            life=self.lives.role,
        )
        return self._stage_role(name, published, made, targets)

    def stage_trust(self, trust: TrustDocument, *, at: int, mail: OnlinePublic | None = None) -> Pending:
        """Stage targets with another trust.json. Removing a person or a key needs a higher epoch:
        ``wrong-epoch``."""
        before = self.trust()
        gone = set(before.owners().items()) - set(trust.owners().items())
        if trust.site != self.site:
            raise BookbagError("wrong-site", f"cannot stage trust.json: it is of site {trust.site}")
        published = self._folder.published("targets")
        least = before.epoch + (1 if gone and published else 0)
        if trust.epoch < least:
            raise BookbagError(
                "wrong-epoch",
                f"cannot stage trust.json: persons or keys were removed, so its epoch must be {least}",
                place="epoch",
                remedy=f"set epoch to {least}: what they signed and nobody obeyed yet is void then",
            )
        self._stage_targets(trust, mail, at)
        return signing.pending(self._folder, "targets")

    def renew(self, role: str, *, at: int) -> Pending:
        """Stage the same content of a published offline role with a later expiry. Raises ``not-found``."""
        if role == Root.type:
            return self.rotate(at=at)
        if role == Targets.type:
            return self.stage_trust(self.trust(), at=at)
        published = self._folder.published(role)
        if published is None:
            raise BookbagError("not-found", f"cannot renew {role}: it was never published")
        signed = published.signed
        signed.version += 1
        signed.expires = staging.unix(at + self.lives.role)
        signed.unrecognized_fields["signed_at"] = at
        self._folder.stage(role, Metadata(signed))
        return signing.pending(self._folder, role)

    def rotate(
        self,
        *,
        at: int,
        holders: Holders | None = None,
        online: OnlinePublic | None = None,
        upstream: Mapping[str, str] | None = None,
    ) -> Pending:
        """Stage root N+1: other key holders, other online keys, or only a later expiry. It must be signed
        by enough persons of the present root *and* of itself. Other online keys also stage a new targets
        (it lists mail's)."""
        published = self._folder.root()
        if published is None:
            raise BookbagError(
                "not-found", "cannot rotate: nothing is published yet", place=self._folder.path
            )
        root, told = published.signed, metadata.root_fields(published.signed)
        new = holders or _holders(root, told.persons)
        new.check(self.profile)
        targets = self._folder.published("targets")
        keys = online or OnlinePublic(_online(root, "timestamp"), _online(root, "snapshot"), self._mail_key())
        made = staging.make_root(
            self.site,
            new,
            keys,
            self.profile,
            version=root.version + 1,
            epoch=self.trust().epoch,
            least_targets=targets.signed.version if targets else 1,
            upstream=told.upstream if upstream is None else upstream,
            at=at,
            life=self.lives.root,
        )
        self._folder.stage("root", made)
        if online is not None and online.mail != self._mail_key():
            self._stage_targets(self.trust(), online, at)
        return signing.pending(self._folder, "root")

    def sign(self, role: str, key: SigningKey) -> Pending:
        """Add one person's signature to a staged role. Raises ``not-found``, ``bad-signature`` (key not
        listed for it)."""
        return signing.sign(self._folder, role, key)

    def discard(self, role: str) -> None:
        """Drop the staged version of ``role``."""
        self._folder.remove("staged", "metadata", f"{role}.json")

    # -- mail

    def file_mail(self, mailbox: str, sealed: bytes | None) -> None:
        """File a sealed mailbox (None: take it away) with the next publication. Raises ``bad-argument``,
        ``bad-envelope``."""
        self.file_mails({mailbox: sealed})

    def file_mails(self, boxes: Mapping[str, bytes | None]) -> None:
        """The same for many, all or none of which are refused."""
        self._mailroom().file(boxes)

    def file_log(self, log: CommandLog) -> None:
        """Let the next publication carry this log of orders."""
        self._mailroom().file_log(log)

    def log(self) -> CommandLog:
        """The log of orders that is published, or will be. Raises ``bad-metadata``, ``wrong-site``."""
        return self._mailroom().log()

    def clear_mail(self) -> None:
        """Let the next publication carry no mailbox and no log but those filed from now on."""
        self._mailroom().clear()

    def _mailroom(self) -> Mailroom:
        return Mailroom(self._folder, self.site, self._mail_key(), self._bits)

    # -- publishing

    def publish(self, online: Online, *, at: int) -> Published:
        """Make public what is ready: offline roles, filed mail, a new snapshot and timestamp. Raises
        ``under-signed``."""
        return publish.publish(self._folder, online, site=self.site, lives=self.lives, bits=self._bits, at=at)

    def refresh(self, online: Online, *, at: int) -> Published:
        """Only freshness and mail: a new timestamp; snapshot, mail and bins when half their life is over.
        Staged offline roles stay staged."""
        return publish.publish(
            self._folder, online, site=self.site, lives=self.lives, bits=self._bits, at=at, offline=False
        )

    # -- inside

    def _targets(self) -> Targets:
        found = self._folder.staged("targets") or self._folder.published("targets")
        if found is None:
            raise BookbagError("not-found", "cannot find targets", place=self._folder.path)
        return cast("Targets", found.signed)

    def _mail_key(self) -> PublicKey:
        delegations = metadata.delegations(self._targets(), "targets")
        listed = (delegations.roles or {})[MAIL]
        return metadata.raw_key(delegations.keys[listed.keyids[0]])

    def _stage_role(
        self, name: str, published: Metadata[Targets] | None, made: Metadata[Any], files: Mapping[str, bytes]
    ) -> Pending | None:
        if published and published.signed.targets == cast("Targets", made.signed).targets:
            self._folder.remove("staged", "metadata", f"{name}.json")
            return None
        self._stage_files(files)
        self._folder.stage(name, made)
        return signing.pending(self._folder, name)

    def _stage_targets(self, trust: TrustDocument, online: OnlinePublic | None, at: int) -> None:
        published = self._folder.published("targets")
        mail = online.mail if online else self._mail_key()
        made = staging.make_targets(
            trust,
            mail,
            self._bits,
            version=published.signed.version + 1 if published else 1,
            at=at,
            life=self.lives.targets,
        )
        self._folder.write(trust.to_bytes(), "staged", "targets", TRUST_TARGET)
        self._folder.stage("targets", made)

    def _stage_files(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            self._folder.write(data, "staged", "targets", *path.split("/"))


def _holders(root: Root, persons: Mapping[str, str]) -> Holders:
    def of(role: str) -> dict[str, PublicKey]:
        return {persons[keyid]: metadata.raw_key(root.keys[keyid]) for keyid in root.roles[role].keyids}

    return Holders(of("root"), of("targets"))


def _online(root: Root, role: str) -> PublicKey:
    return metadata.raw_key(root.keys[root.roles[role].keyids[0]])
