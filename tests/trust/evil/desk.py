"""Honest persons at a desk, using the real site repository, and a register of everything that anybody ever
signed.

The register is what the judge believes: it is filled where keys are used, not by reading signatures back.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from tuf.api.metadata import Metadata, Targets

from agent.core import jsontext
from agent.core.clock import BUILD_TIME
from agent.trust import dsse, floors, mailbox, sessionid
from agent.trust.catalogue import CatalogueItem
from agent.trust.commandlog import CommandLog
from agent.trust.identity import DeviceIdentity, mailbox_name, serial_hash
from agent.trust.keys import SealKey, SigningKey
from agent.trust.persons import KindRule, Person, Role, TrustDocument
from agent.trust.sealing import seal
from agent.trust.site.online import Online
from agent.trust.site.repository import SiteRepository
from agent.trust.site.staging import Holders
from tests.trust.offers import catalogue

DAY = 86400
START = BUILD_TIME + 5 * DAY
#: Person → names of their keys. Mal's two keys are stolen: they are what an evil mirror may sign with.
PEOPLE = {"ann": ("ann",), "ben": ("ben",), "mal": ("mal", "mal-2"), "eve": ("eve",)}
HOLDERS = ("ann", "ben", "mal")
RANKS = ("school", "class", "device")

Files = dict[str, bytes]


@cache
def key(name: str) -> SigningKey:
    """The signing key of that name, the same in every run."""
    return SigningKey.from_raw(hashlib.sha256(b"sign " + name.encode()).digest())


@cache
def seal_key(name: str) -> SealKey:
    """The seal key of that name, the same in every run."""
    return SealKey.from_raw(hashlib.sha256(b"seal " + name.encode()).digest())


@cache
def identity(name: str) -> DeviceIdentity:
    """A laptop's identity."""
    return DeviceIdentity(key(f"laptop {name}"), seal_key(f"laptop {name}"), bytes(32))


def online_keys(number: int) -> Online:
    """The publisher's keys after ``number`` rotations."""
    return Online(key(f"timestamp {number}"), key(f"snapshot {number}"), key(f"mail {number}"))


def owner(key_name: str) -> str:
    """The person whose key that is."""
    return key_name.partition("-")[0]


@dataclass(frozen=True)
class Told:
    """What an order said, as its signers saw it."""

    site: str
    device: str
    kind: str
    id: str
    seq: int
    epoch: int
    issued: int
    not_before: int
    expires: int
    serial_sha256: str
    args: Mapping[str, object]


@dataclass
class Register:
    """Who signed what. Metadata and orders go by the hash of the bytes that were signed."""

    signers: dict[str, set[str]] = field(default_factory=dict)
    trusts: dict[str, TrustDocument] = field(default_factory=dict)  #: by the hash of a targets that names it
    orders: dict[str, Told] = field(default_factory=dict)

    def sign(self, data: bytes, person: str) -> None:
        self.signers.setdefault(hashlib.sha256(data).hexdigest(), set()).add(person)

    def copy(self) -> Register:
        return Register(
            {one: set(who) for one, who in self.signers.items()}, dict(self.trusts), dict(self.orders)
        )

    def who(self, digest: str) -> set[str]:
        return self.signers.get(digest, set())


def digest_of(signed: Metadata[Any]) -> str:
    """What the register knows metadata by."""
    return hashlib.sha256(signed.signed_bytes).hexdigest()


class Desk:
    """One site. ``publish`` adds what the static host then serves to ``history``."""

    def __init__(self, folder: Path, register: Register, *, site: str = "north", at: int = START) -> None:
        self.folder = folder
        self.register = register
        self.site = site
        self.rotations = 0
        self.online = online_keys(0)
        self.fired: tuple[str, ...] = ()
        self.epoch = 1
        self.holders = HOLDERS
        self.seqs: dict[tuple[str, str], int] = {}
        self.ids = 0
        self.history: list[Files] = []
        self.newest: dict[tuple[str, str], dict[str, bytes]] = {}
        self.mail: dict[str, list[bytes]] = {}
        self.log = CommandLog()
        held = {name: key(name).public for name in HOLDERS}
        self.repository = SiteRepository.create(
            str(folder), self.trust(), Holders(held, held), self.online.public, at=at, bits=1
        )
        for role in ("root", "targets"):
            self.sign(role, "ann", "ben")

    def copy_to(self, folder: Path, register: Register) -> Desk:
        """The same desk in a folder that is a copy of its own."""
        made = copy.copy(self)
        made.folder, made.register, made.repository = folder, register, SiteRepository.open(str(folder))
        made.seqs, made.newest, made.mail = dict(self.seqs), dict(self.newest), dict(self.mail)
        made.history = list(self.history)
        return made

    # -- who may decide

    def trust(self, **changes: Role) -> TrustDocument:
        here = [name for name in PEOPLE if name not in self.fired]
        roles = {
            "ict": Role(tuple(name for name in ("ann", "ben", "mal") if name in here), RANKS, power=True),
            "year": Role(tuple(name for name in ("eve", "ben") if name in here), ("class",)),
            "media": Role(tuple(name for name in ("eve", "ben") if name in here), (), content=True),
            **changes,
        }
        return TrustDocument(
            site=self.site,
            epoch=self.epoch,
            persons=tuple(
                Person(name, tuple(key(one).public for one in PEOPLE[name]), seal_key(name).public)
                for name in here
            ),
            roles=MappingProxyType(roles),
            returns_key=seal_key("returns").public,
            kinds=MappingProxyType({"assign": KindRule(1, ("ann", "ben"))}),
            fleet_size=300,
        )

    def fire(self, person: str, at: int) -> None:
        """Trust somebody no longer. What they alone had signed is signed anew by Ben."""
        self.fired += (person,)
        self.epoch += 1
        self.repository.stage_trust(self.trust(), at=at)
        self.sign("targets", "ann", "ben")
        for kind, role in list(self.newest):
            self.repository.renew(f"{kind}-{role}", at=at)
            self.sign(f"{kind}-{role}", "ben", *(["ann"] if kind == "power" else []))

    def sign(self, role: str, *names: str) -> None:
        for name in names:
            staged = self.staged(role)
            self.repository.sign(role, key(name))
            self.register.sign(staged.signed_bytes, owner(name))
            if role == "targets":
                self.register.trusts[digest_of(staged)] = self.repository.trust()

    def staged(self, role: str) -> Metadata[Any]:
        return Metadata[Any].from_bytes((self.folder / "staged" / "metadata" / f"{role}.json").read_bytes())

    # -- what they decide

    def policy(
        self, at: int, *, role: str = "ict", power: bool = False, by: Sequence[str] = (), **documents: str
    ) -> None:
        kind = "power" if power else "policy"
        files = {f"{name}.yaml": text.encode() for name, text in documents.items()}
        if self.repository.stage_documents(role, files, at=at, power=power) is None:
            return
        self.sign(f"{kind}-{role}", *(by or (("ann", "ben") if power else ("ben",))))
        self.newest[kind, role] = files

    def content(self, at: int, *items: CatalogueItem, by: Sequence[str] = ()) -> None:
        """The editors of media offer exactly these."""
        data = catalogue(self.site, "media", *items)
        if self.repository.stage_catalogue("media", data, at=at) is None:
            return
        self.sign("content-media", *(by or ("ben",)))
        self.newest["content", "media"] = {"catalogue.json": data}

    def rotate_online(self, at: int, *, previous: bool = True) -> None:
        """Other online keys, by a new root and new targets."""
        self.rotations += 1
        fresh = online_keys(self.rotations)
        before = Online(self.online.timestamp, self.online.snapshot, self.online.mail) if previous else None
        self.online = Online(fresh.timestamp, fresh.snapshot, fresh.mail, before)
        self.repository.rotate(at=at, online=self.online.public)
        self.sign("root", "ann", "ben")
        self.sign("targets", "ann", "ben")

    def renew(self, at: int, *roles: str) -> None:
        for role in roles:
            self.repository.renew(role, at=at)
            one = role.startswith(("policy-", "content-"))
            self.sign(role, "ben") if one else self.sign(role, "ben", "ann")

    def order(
        self,
        laptop: DeviceIdentity,
        at: int,
        *,
        kind: str = "assign",
        by: Sequence[str] = (),
        logged: bool = True,
        **changes: object,
    ) -> bytes:
        """A signed envelope; nothing is filed. ``logged``: where its kind belongs there, it is in the log."""
        slot = (laptop.id, floors.slot(kind))
        self.seqs[slot] = self.seqs.get(slot, 0) + 1
        self.ids += 1
        value: dict[str, object] = {
            "v": 1,
            "kind": kind,
            "id": hashlib.sha256(f"{self.site} {self.ids}".encode()).hexdigest()[:32],
            "site": self.site,
            "device": laptop.id,
            "serial_sha256": serial_hash(self.site, laptop.id),
            "epoch": self.epoch,
            "seq": self.seqs[slot],
            "issued": at,
            "not_before": at,
            "expires": at + 7 * DAY,
            "grace_s": floors.GRACE if floors.floor(kind).destructive else 0,
            "args": {},
            "reason": "",
        }
        if kind == "message":
            value["args"] = {"text": {"en": "come to the office"}}
        if kind == "assign":
            sign_key, sealing = laptop.public
            value["args"] = {
                "school": "high",
                "year": "9",
                "class": f"class-{self.seqs[slot]}",
                "sign_key": sign_key.hex,
                "seal_key": sealing.hex,
            }
        value.update(changes)
        if kind == floors.SESSION and "id" not in changes:
            value["id"] = sessionid.of(value)
        names = by or (("ann", "ben") if kind not in ("assign", "lock", "unlock") else ("ann",))
        payload = jsontext.canonical(value)
        self.know_order(payload, value, names)
        class_ = floors.floor(kind).logged
        if logged and class_:
            self.log = self.log.extended(hashlib.sha256(payload).hexdigest(), class_, at)
        return dsse.sign(payload, dsse.ORDER_TYPE, [key(name) for name in names])

    def know_order(self, payload: bytes, value: Mapping[str, object], names: Sequence[str]) -> None:
        for name in names:
            self.register.sign(payload, owner(name))
        facts = {one: value[one] for one in Told.__dataclass_fields__}
        self.register.orders[hashlib.sha256(payload).hexdigest()] = Told(**facts)  # type: ignore[arg-type]

    def file(self, laptop: DeviceIdentity, *envelopes: bytes) -> None:
        """Seal these into a laptop's mailbox; none: take the mailbox away."""
        self.mail[laptop.id] = list(envelopes)
        sealed = seal(mailbox.make_mailbox(envelopes), laptop.seal_key.public) if envelopes else None
        self.repository.file_mail(mailbox_name(self.site, laptop.id), sealed)

    # -- what the host gets

    def publish(self, at: int) -> Files:
        self.repository.file_log(self.log)
        self.repository.publish(self.online, at=at)
        return self.note()

    def refresh(self, at: int) -> Files:
        self.repository.refresh(self.online, at=at)
        return self.note()

    def note(self) -> Files:
        files = read_tree(self.repository.docroot, self.history[-1] if self.history else {})
        self.history.append(files)
        return files

    def versions(self) -> dict[str, int]:
        """Of what is published now."""
        files = self.history[-1]
        stamp = jsontext.parse(files["metadata/timestamp.json"], what="timestamp")
        assert isinstance(stamp, dict)
        number = stamp["signed"]["meta"]["snapshot.json"]["version"]
        snapshot = jsontext.parse(files[f"metadata/{number}.snapshot.json"], what="snapshot")
        assert isinstance(snapshot, dict)
        found = {
            name.removesuffix(".json"): one["version"] for name, one in snapshot["signed"]["meta"].items()
        }
        roots = [int(name.split("/")[1].split(".")[0]) for name in files if name.endswith(".root.json")]
        return {**found, "timestamp": stamp["signed"]["version"], "snapshot": number, "root": max(roots)}


def read_tree(folder: str, known: Mapping[str, bytes] = MappingProxyType({})) -> Files:
    """Every file below ``folder`` by relative name. Immutable names in ``known`` are not read again."""
    found: Files = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            relative = os.path.relpath(path, folder)
            if relative in known and name != "timestamp.json":
                found[relative] = known[relative]
                continue
            with open(path, "rb") as file:
                found[relative] = file.read()
    return found


def targets_in(files: Mapping[str, bytes], version: int, role: str) -> Targets:
    """Targets metadata from a set of files."""
    return cast("Targets", Metadata[Any].from_bytes(files[f"metadata/{version}.{role}.json"]).signed)
