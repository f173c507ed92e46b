"""What IT's folder asks the site to be: trust, key holders and documents, as values that the repository can
be compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.fleet import onlinekeys, people, teachers
from agent.fleet.content import records as content
from agent.fleet.folder import DocumentFile, Folder
from agent.fleet.records import SiteRecord
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems
from agent.trust.keys import SealPublicKey
from agent.trust.persons import TrustDocument
from agent.trust.site.online import OnlinePublic
from agent.trust.site.staging import Holders, PolicyFile


@dataclass(frozen=True, slots=True)
class Wanted:
    """The folder's word. ``documents``: (role, power) → name → file; a role without documents has an empty
    entry."""

    site: SiteRecord
    trust: TrustDocument
    holders: Holders
    online: OnlinePublic
    documents: Mapping[tuple[str, bool], Mapping[str, PolicyFile]]
    catalogues: Mapping[str, bytes]  #: role → catalogue.json, of roles that have a folder of content


def read_wanted(folder: Folder) -> Wanted:
    """Read it all. Raises BookbagError for the first thing that is wrong; `check` lists everything."""
    site = folder.site()
    records = folder.people()
    persons = {record.id: people.person_of(record) for record in records}
    trust = TrustDocument(
        site=site.site,
        epoch=site.epoch,
        persons=tuple(persons[name] for name in sorted(persons)),
        roles=people.roles_of(site),
        returns_key=SealPublicKey.from_hex(site.returns_key),
        fleet_size=site.fleet_size,
        teachers=teachers.read(folder),
    )
    keys = {name: trust.person(name).keys[0] for name in site.holders}
    catalogues = {
        role: content.catalogue(folder, site.site, role)
        for role in content.roles(folder)
        if role in site.roles and site.roles[role].content
    }
    documents = group(folder.documents(), site)
    return Wanted(site, trust, Holders(keys, keys), onlinekeys.public(site.online), documents, catalogues)


def group(
    documents: Iterable[DocumentFile], site: SiteRecord
) -> dict[tuple[str, bool], dict[str, PolicyFile]]:
    """Documents by (role, power), with what the index tells of each."""
    grouped: dict[tuple[str, bool], dict[str, PolicyFile]] = {}
    for name, role in sorted(site.roles.items()):
        if role.ranks:
            grouped[name, False] = {}
        if role.power:
            grouped[name, True] = {}
    for one in documents:
        grouped.setdefault((one.role, one.power), {})[one.name] = policy_file(one)
    return grouped


def policy_file(one: DocumentFile) -> PolicyFile:
    """A document with its rank and targets, for the signed index."""
    document = read_document(Source(one.file, one.data, one.role, one.power), Problems())
    if document is None:
        return PolicyFile(one.data)
    return PolicyFile(one.data, document.rank, dict(document.applies_to))
