"""Where the site stands, gathered for `status` and for the fleet page: publication, signatures, laptops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuf.api.metadata import Metadata

from agent.fleet.enrolments import waiting
from agent.fleet.folder import Folder
from agent.fleet.publication import open_repository
from agent.fleet.records import DeviceRecord
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.signing import Pending


@dataclass(frozen=True, slots=True)
class RoleState:
    """One published role: version, until when, by whom."""

    role: str
    version: int
    expires: int
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it."""

    site: str
    epoch: int
    published: tuple[RoleState, ...]
    waiting: tuple[Pending, ...]
    devices: tuple[DeviceRecord, ...]
    returned: frozenset[str]  #: names of laptops whose enrolment came back
    mail_expires: int


def read_overview(folder: Folder) -> Overview:
    """Read it from the folder; opens no key. Raises BookbagError."""
    site = folder.site()
    repository = open_repository(folder)
    expiries = repository.expiries()
    files = RepositoryFiles(str(folder.root))
    states = []
    owners = _owners(folder)
    for role, expires in sorted(expiries.items(), key=_order):
        if role.startswith("mail-"):
            continue
        signed = _signed(files, role)
        if signed is None:
            continue
        persons = tuple(sorted({owners[one] for one in signed.signatures if one in owners}))
        states.append(RoleState(role, signed.signed.version, expires, persons))
    known = folder.devices()
    mail = [expires for role, expires in expiries.items() if role.startswith("mail")]
    return Overview(
        site=site.site,
        epoch=repository.trust().epoch,
        published=tuple(states),
        waiting=repository.pending(),
        devices=known,
        returned=frozenset(one.name for one in waiting(folder, known)),
        mail_expires=min(mail, default=0),
    )


def _signed(files: RepositoryFiles, role: str) -> Metadata[Any] | None:
    if role == "root":
        return files.root()
    if role == "timestamp":
        return files.timestamp()
    return files.snapshot() if role == "snapshot" else files.published(role)


def _order(item: tuple[str, int]) -> tuple[int, str]:
    first = ("root", "targets", "policy", "power", "content", "mail", "snapshot", "timestamp")
    return first.index(item[0].partition("-")[0]), item[0]


def _owners(folder: Folder) -> dict[str, str]:
    """Key id → person."""
    from agent.trust.keys import PublicKey

    return {PublicKey.from_hex(key).keyid: person.id for person in folder.people() for key in person.keys}
