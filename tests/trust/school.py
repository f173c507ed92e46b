"""A whole small school for tests: persons with keys, a published site in a folder, and laptops that verify
it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from agent.core import jsontext
from agent.core.clock import Now
from agent.core.errors import BookbagError
from agent.core.ids import new_id
from agent.store.highwater import HighWaterFile
from agent.trust import dsse, floors, mailbox, orders, sessionid
from agent.trust.catalogue import CatalogueItem
from agent.trust.commandlog import CommandLog
from agent.trust.device import Wanted, verify_site
from agent.trust.identity import DeviceIdentity, mailbox_name, serial_hash
from agent.trust.keys import PublicKey, SealKey, SigningKey
from agent.trust.persons import KindRule, Person, Role, TrustDocument
from agent.trust.sealing import seal
from agent.trust.site.online import Online
from agent.trust.site.publish import Published
from agent.trust.site.repository import SiteRepository
from agent.trust.site.staging import Holders, PolicyFile
from agent.trust.teachers import Teacher
from agent.trust.view import SiteView
from tests.trust.offers import catalogue

DAY = 86400
START = 1_800_000_000  #: trusted now in most tests
RANKS = ("school", "year", "class", "device")


@dataclass
class Human:
    """A person with the private halves. ``key`` signs; ``second`` is another key of the same person."""

    id: str
    key: SigningKey = field(default_factory=SigningKey.generate)
    second: SigningKey = field(default_factory=SigningKey.generate)
    seal: SealKey = field(default_factory=SealKey.generate)

    def person(self) -> Person:
        return Person(self.id, (self.key.public, self.second.public), self.seal.public)


class Keys(Protocol):
    """Whose keys a school is run with."""

    people: dict[str, Human]
    online: Online
    returns: SealKey


class School:
    """Ada, Bo and Cy run a site; role `ict` may use power, role `library` is Bo's alone."""

    def __init__(
        self,
        folder: Path,
        *,
        site: str = "north",
        at: int = START,
        like: Keys | None = None,
        **more: object,
    ) -> None:
        self.folder = folder
        self.site = site
        self.at = at
        self.people: dict[str, Human] = (
            like.people if like else {name: Human(name) for name in ("ada", "bo", "cy")}
        )
        self.online: Online = like.online if like else Online.generate()
        self.returns: SealKey = like.returns if like else SealKey.generate()
        self.seq = 0
        self.teachers: tuple[Teacher, ...] = ()
        self.log = CommandLog()
        names = tuple(self.people)
        self.repository = SiteRepository.create(
            str(folder),
            self.trust(),
            Holders(self.keys(*names), self.keys(*names)),
            self.online.public,
            at=at,
            bits=2,
            **more,  # type: ignore[arg-type]
        )
        self.sign("root", "ada", "bo")
        self.sign("targets", "ada", "bo")

    def keys(self, *names: str) -> dict[str, PublicKey]:
        return {name: self.people[name].key.public for name in names}

    def trust(self, *, epoch: int = 1, without: tuple[str, ...] = (), **kinds: KindRule) -> TrustDocument:
        here = [human for human in self.people.values() if human.id not in without]
        names = tuple(human.id for human in here)
        return TrustDocument(
            site=self.site,
            epoch=epoch,
            persons=tuple(human.person() for human in here),
            roles=MappingProxyType(
                {
                    "ict": Role(names, RANKS, power=True),
                    "library": Role(("bo",), ("class",)),
                    "media": Role(tuple(name for name in ("bo", "cy") if name in names), (), content=True),
                }
            ),
            returns_key=self.returns.public,
            kinds=MappingProxyType(dict(kinds)),
            fleet_size=300,
            teachers=self.teachers,
        )

    def employ(self, *teachers: Teacher) -> None:
        """From the next publication on these are its teachers."""
        self.teachers = teachers
        self.repository.stage_trust(self.trust(), at=self.at)
        self.sign("targets", "ada", "bo")

    def sign(self, role: str, *names: str) -> None:
        for name in names:
            self.repository.sign(role, self.people[name].key)

    def policy(self, role: str = "ict", *, signers: tuple[str, ...] = ("ada",), **documents: str) -> None:
        files = {f"{name}.yaml": PolicyFile(text.encode()) for name, text in documents.items()}
        self.repository.stage_documents(role, files, at=self.at)
        self.sign(f"policy-{role}", *signers)

    def power(self, *signers: str, **documents: str) -> None:
        files = {f"{name}.yaml": PolicyFile(text.encode()) for name, text in documents.items()}
        self.repository.stage_documents("ict", files, at=self.at, power=True)
        self.sign("power-ict", *signers)

    def content(self, *items: CatalogueItem, signers: tuple[str, ...] = ("cy",)) -> None:
        self.repository.stage_catalogue("media", catalogue(self.site, "media", *items), at=self.at)
        self.sign("content-media", *signers)

    def publish(self, at: int | None = None) -> Published:
        return self.repository.publish(self.online, at=self.at if at is None else at)

    def order(
        self, laptop: Laptop, kind: str = "assign", *, signers: tuple[SigningKey, ...] = (), **more: object
    ) -> bytes:
        self.seq += 1
        sign_key, seal_key = laptop.identity.public
        payload: dict[str, object] = {
            "v": 1,
            "kind": kind,
            "id": new_id(),
            "site": self.site,
            "device": laptop.identity.id,
            "serial_sha256": laptop.serial,
            "epoch": 1,
            "seq": self.seq,
            "issued": self.at,
            "expires": self.at + 14 * DAY,
            "args": {},
            "reason": "",
        }
        if kind == "assign":
            payload["args"] = {
                "school": "north-high",
                "year": "9",
                "class": "9b",
                "sign_key": sign_key.hex,
                "seal_key": seal_key.hex,
            }
        payload.update(more)
        if kind == floors.SESSION and "id" not in more:
            payload["id"] = sessionid.of(payload)
        return dsse.sign(jsontext.canonical(payload), dsse.ORDER_TYPE, signers or (self.people["ada"].key,))

    def log_order(self, envelope: bytes) -> None:
        """Name an order in the public log, if its kind belongs there."""
        draft = orders.parse_order(envelope)
        if logged := floors.floor(draft.kind).logged:
            self.log = self.log.extended(draft.order.digest, logged, self.at)
            self.repository.file_log(self.log)

    def mail(self, laptop: Laptop, *envelopes: bytes) -> None:
        sealed = seal(mailbox.make_mailbox(envelopes), laptop.identity.seal_key.public)
        self.repository.file_mail(mailbox_name(self.site, laptop.identity.id), sealed)

    @property
    def mirror(self) -> Path:
        """A mirror is what a static host serves."""
        return self.folder / "published"


class Served(Protocol):
    """A site somewhere."""

    site: str

    @property
    def mirror(self) -> Path: ...


class Laptop:
    """Verifies a mirror again and again, remembering what a laptop remembers."""

    def __init__(self, folder: Path, school: Served, *, site: str | None = None) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.site = site or school.site
        self.bootstrap = (school.mirror / "metadata" / "1.root.json").read_bytes()
        self.identity = DeviceIdentity.generate()
        self.serial = serial_hash(school.site, "SN-1")
        self.high_water = HighWaterFile(str(folder / "high-water.json"))
        self.generations = 0
        self.previous: str | None = None
        self.enrolled = False

    def wanted(self, at: int, quality: str = "good") -> Wanted:
        self.generations += 1
        return Wanted(
            site=self.site,
            bootstrap_root=self.bootstrap,
            now=Now(at, quality, at),  # type: ignore[arg-type]
            generation=str(self.folder / f"gen-{self.generations}"),
            previous=self.previous,
            enrolled=self.enrolled,
            identity=self.identity,
            serial_sha256=self.serial,
        )

    def verify(self, mirror: Path, at: int = START, quality: str = "good", **more: object) -> SiteView:
        wanted = replace(self.wanted(at, quality), **more)  # type: ignore[arg-type]
        view = verify_site(str(mirror), wanted, self.high_water).value
        self.previous, self.enrolled = view.generation, True
        return view

    def refusal(self, mirror: Path, at: int = START, quality: str = "good", **more: object) -> BookbagError:
        """The error that verification ends with; fails if it succeeds."""
        try:
            view = self.verify(mirror, at, quality, **more)
        except BookbagError as error:
            return error
        raise AssertionError(f"accepted: {view}")

    def marks(self) -> Mapping[str, int]:
        found = self.high_water.read()
        return found[0] if found else {}


class FolderSource:
    """A `Source` on a folder, counting what it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []

    def open(self, path: str, max_bytes: int) -> Iterator[bytes]:
        self.asked.append(path)
        try:
            data = (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise BookbagError("not-found", f"cannot find {path}") from None
        return iter([data[at : at + 1000] for at in range(0, len(data), 1000)])


def names(view: SiteView) -> list[str]:
    return [document.path for document in view.documents]


def copy_mirror(source: Path, to: Path) -> Path:
    import shutil

    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(source, to)
    return to


def uid() -> int:
    return os.geteuid()
