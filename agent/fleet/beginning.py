"""Making a site: people and their keys, the site's own keys and certificates, the folder, the first
repository."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet import certificates, keyfile, onlinekeys, people, templates
from agent.fleet.folder import GITIGNORE, Folder
from agent.fleet.keyfile import PersonKeys
from agent.fleet.keyring import CA, RETURNS
from agent.fleet.passphrases import Passphrases
from agent.fleet.records import Connectivity, PersonRecord, Profile, RoleRecord, SiteRecord
from agent.fleet.wanted import read_wanted
from agent.policy.desk import editors
from agent.trust.keys import SealKey, SealPublicKey
from agent.trust.persons import RANKS
from agent.trust.sealing import seal
from agent.trust.site.online import Online
from agent.trust.site.profiles import PROFILES
from agent.trust.site.repository import SiteRepository

FIRST_ROLE = "ict"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a new site is asked to be."""

    site: str
    urls: tuple[str, ...]
    profile: Profile
    connectivity: Connectivity
    persons: tuple[str, ...]
    languages: tuple[str, ...]
    fleet_size: int
    template: str | None

    def check(self) -> None:
        """Raises ``bad-argument``; ``not-found`` for a template that there is not."""
        check_name(self.site, "a site's id")
        for person in self.persons:
            check_name(person, "a person's id")
        if len(set(self.persons)) != len(self.persons):
            raise BookbagError("bad-argument", "cannot begin: a person is named twice")
        least = PROFILES[self.profile].holders
        if len(self.persons) < least:
            remedy = "name more with --person"
            if self.profile != "one-admin":
                remedy += "; a school with one administrator: --profile one-admin"
            raise BookbagError(
                "bad-argument",
                f"cannot begin: profile {self.profile} needs {least} persons, {len(self.persons)} named",
                remedy=remedy,
            )
        if self.template:  # before anybody types a passphrase six times
            templates.require(self.template)
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
                raise BookbagError(
                    "bad-argument", f"cannot publish at {url!r}", remedy="write https://HOST[:PORT]/[PATH]"
                )


@dataclass(frozen=True, slots=True)
class Begun:
    """A new site. ``paper``: with profile one-admin, the second person and their key as text."""

    folder: Folder
    paper: tuple[str, str] | None
    policies: tuple[str, ...]


def begin(target: Path, asked: Beginning, passphrases: Passphrases, now: int) -> Begun:
    """Make the folder at ``target``, whole or not at all. Raises ``conflict`` if something is there."""
    asked.check()
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise BookbagError("conflict", "cannot begin here: something else is there", place=str(target))
    if target.exists() and {one.name for one in target.iterdir()} - {".git", "README.md"}:
        raise BookbagError(
            "conflict",
            "cannot begin here: the folder is not empty",
            place=str(target),
            remedy="name a new folder",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        paper, policies = _fill(Folder(draft), asked, passphrases, now)
        target.mkdir(exist_ok=True)
        # site.yaml last: a folder without it is no site yet.
        for entry in sorted(draft.iterdir(), key=lambda one: one.name == "site.yaml"):
            os.rename(entry, target / entry.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Begun(Folder(target), paper, policies)


def _fill(
    folder: Folder, asked: Beginning, passphrases: Passphrases, now: int
) -> tuple[tuple[str, str] | None, tuple[str, ...]]:
    paper = _people(folder, asked, passphrases)
    online, returns = Online.generate(), SealKey.generate()
    onlinekeys.save(folder, online)
    _certificates(folder, asked, now)
    _share(folder, RETURNS, returns.to_raw())
    site = SiteRecord(
        site=asked.site,
        urls=asked.urls,
        profile=asked.profile,
        connectivity=asked.connectivity,
        fleet_size=asked.fleet_size,
        languages=asked.languages,
        epoch=1,
        returns_key=returns.public.hex,
        # A site is a school or a district; what a ministry decides is its own to sign.
        roles={
            FIRST_ROLE: RoleRecord(asked.persons, RANKS[RANKS.index("district") :], power=True, content=True)
        },
        holders=asked.persons,
        online=onlinekeys.record(online),
    )
    folder.save_site(site)
    folder.write(folder.root / ".gitignore", GITIGNORE.encode())
    folder.write(folder.root / templates.SCHEMA, editors.text().encode())
    policies = tuple(templates.begin(folder, asked.template, FIRST_ROLE)) if asked.template else ()
    wanted = read_wanted(folder)
    SiteRepository.create(
        str(folder.root),
        wanted.trust,
        wanted.holders,
        wanted.online,
        at=now,
        profile_name=asked.profile,
        sneakernet=asked.connectivity == "sneakernet",
    )
    return paper, policies


def _people(folder: Folder, asked: Beginning, passphrases: Passphrases) -> tuple[str, str] | None:
    """Everyone's keys here; with one admin, the second person's only on paper."""
    on_paper = asked.persons[1] if asked.profile == "one-admin" else None
    paper = None
    for name in asked.persons:
        if name == on_paper:
            keys = PersonKeys.generate(name)
            folder.save_person(PersonRecord(name, (keys.sign.public.hex,), keys.seal.public.hex))
            paper = name, keyfile.to_paper(keys)
        else:
            people.make_person(folder, name, passphrases)
    return paper


def _certificates(folder: Folder, asked: Beginning, now: int) -> None:
    authority = certificates.make_authority(asked.site, now)
    certificate, key = certificates.make_server(authority, asked.urls, now)
    folder.write(folder.root / "ca.pem", authority.pem)
    folder.write(folder.online / "server.pem", certificate + key, mode=0o600)
    _share(folder, CA, authority.key)


def _share(folder: Folder, what: str, raw: bytes) -> None:
    for record in folder.people():
        box = seal(raw, SealPublicKey.from_hex(record.seal_key), purpose=f"desk-{what}")
        folder.write(folder.shared_key_file(what, record.id), box, mode=0o600)
