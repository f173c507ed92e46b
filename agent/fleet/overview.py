"""Where the site stands, gathered for `status` and for the fleet page: publication, signatures, laptops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuf.api.metadata import Metadata

from agent.core.errors import BookbagError
from agent.fleet.checking import day
from agent.fleet.enrolments import waiting
from agent.fleet.folder import Folder
from agent.fleet.ordered import HEAD as HEAD_ORDERED
from agent.fleet.ordered import read_ordered
from agent.fleet.publication import open_repository
from agent.fleet.records import DeviceRecord
from agent.fleet.reported import HEAD, standings
from agent.fleet.reports import ReportStore
from agent.fleet.service.page import Table
from agent.fleet.wanted import read_wanted
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


def page(folder: Folder, now: int, store: ReportStore | None = None) -> tuple[str, Sequence[Table]]:
    """The fleet page's content; a folder that cannot be read gives a page that says so."""
    try:
        seen = read_overview(folder)
        ordered = read_ordered(folder, read_wanted(folder).trust, now)
        told = {one.name: one for one in standings(folder, seen.devices, store, now)}
    except BookbagError as error:
        return "?", [Table("This folder cannot be read", ["why"], [[str(error)]])]
    laptops = [
        [
            one.name,
            "pending" if one.name in seen.returned else one.state,
            " ".join(filter(None, (one.school, one.year, one.class_))),
            *told[one.name].cells(),
        ]
        for one in seen.devices
    ]
    roles = [
        [
            one.role,
            str(one.version),
            day(one.expires) + (" (expired)" if one.expires <= now else ""),
            ", ".join(one.persons) or "online",
        ]
        for one in seen.published
    ]
    waiting = [
        [one.role, ", ".join(one.have) or "nobody", str(one.missing)] for one in seen.waiting if not one.ready
    ]
    return seen.site, [
        Table("Laptops", ["name", "state", "school, year, class", *HEAD], laptops),
        Table("Orders", HEAD_ORDERED, [one.cells() for one in ordered]),
        Table("Published", ["role", "version", "until", "signed by"], roles),
        Table("Waiting for signatures", ["role", "signed by", "missing"], waiting),
    ]
