"""Dishonest people: one at the desk with a real key, one who took over the service with all its keys."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from agent.core import jsontext
from agent.core.clock import DAY
from agent.core.ids import new_id
from agent.fleet import certificates, keyfile, onlinekeys
from agent.fleet.folder import Folder
from agent.trust import dsse, floors
from agent.trust.commandlog import CommandLog
from agent.trust.identity import mailbox_name
from agent.trust.keys import SealPublicKey, SigningKey
from agent.trust.mailbox import make_mailbox
from agent.trust.orders import parse_order
from agent.trust.paths import target_place
from agent.trust.sealing import seal
from agent.trust.site import staging
from agent.trust.site.repository import DEFAULT_BITS, SiteRepository
from agent.trust.site.signing import add_signature
from agent.trust.site.staging import PolicyFile
from tests.lab.acceptance.desk import Desk
from tests.lab.network import SERVER, Network
from tests.trust.evil.desk import Files, Register, read_tree
from tests.trust.evil.forge import Forge, signed_with


def key_of(desk: Desk, person: str) -> SigningKey:
    """A person's private key, as whoever has the key file and the passphrase gets it."""
    path = desk.folder / "keys" / f"{person}.json"
    return keyfile.unlock(path.read_bytes(), desk.passphrase.encode(), place=str(path)).sign


def publish_unchecked(desk: Desk, person: str) -> None:
    """One person signs and publishes policies/ict as it lies there, without asking `bookbag-fleet check`."""
    files = {
        path.name: PolicyFile(path.read_bytes(), "school")
        for path in sorted((desk.folder / "policies/ict").glob("*.yaml"))
    }
    repository = SiteRepository.open(str(desk.folder))
    repository.stage_documents("ict", files, at=now(), power=False)
    repository.sign("policy-ict", key_of(desk, person))
    repository.publish(onlinekeys.load(Folder(desk.folder)), at=now())


def forge_power(desk: Desk, name: str, data: bytes, keys: list[SigningKey]) -> None:
    """A new version of power/ict with this one document, signed with ``keys``, and all above it signed anew
    with the service's own keys.
    """
    online = onlinekeys.load(Folder(desk.folder))
    metadata = desk.published / "metadata"
    timestamp = Metadata[Timestamp].from_file(str(metadata / "timestamp.json"))
    number = timestamp.signed.snapshot_meta.version
    snapshot = Metadata[Snapshot].from_file(str(metadata / f"{number}.snapshot.json"))
    version = snapshot.signed.meta["power-ict.json"].version + 1
    forged, files = staging.make_role(
        desk.site, "power", "ict", {name: PolicyFile(data, "school")}, version=version, at=now(), life=86_400
    )
    for path, content in files.items():
        place = desk.published / target_place(path, forged.signed.targets[path].hashes["sha256"])
        place.write_bytes(content)
        place.chmod(0o644)
    _sign(forged, keys, metadata / f"{version}.power-ict.json")
    snapshot.signed.meta["power-ict.json"] = MetaFile(version)
    snapshot.signed.version += 1
    _sign(snapshot, [online.snapshot], metadata / f"{snapshot.signed.version}.snapshot.json")
    timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
    timestamp.signed.version += 1
    _sign(timestamp, [online.timestamp], metadata / "timestamp.json")


# -- orders


def order_id(envelope: bytes) -> str:
    """The id of the order in an envelope."""
    return parse_order(envelope).order.id


def reordered(envelope: bytes, *keys: SigningKey, **changes: object) -> bytes:
    """Another order like the one in ``envelope``, with changes, signed with ``keys``."""
    value = jsontext.parse(dsse.parse(envelope).payload, what="order")
    assert isinstance(value, dict)
    payload = jsontext.canonical({**value, "id": new_id(), **changes})
    return dsse.sign(payload, dsse.ORDER_TYPE, list(keys))


def signed_again(envelope: bytes) -> bytes:
    """The same with its signature a second time, under another name."""
    value = jsontext.parse(envelope, what="envelope")
    assert isinstance(value, dict)
    (one,) = value["signatures"]
    return jsontext.canonical({**value, "signatures": [one, {**one, "keyid": "of somebody else"}]})


def file_mail(
    desk: Desk, laptop: str, envelopes: Sequence[bytes], *, now: int, log: CommandLog | None = None
) -> None:
    """Publish exactly these in the laptop's mailbox, asking nobody; ``log``: as the public log of orders."""
    folder = Folder(desk.folder)
    record = folder.device(laptop)
    assert record.device is not None and record.seal_key is not None
    repository = SiteRepository.open(str(desk.folder))
    box = seal(make_mailbox(list(envelopes)), SealPublicKey.from_hex(record.seal_key), purpose="mail")
    repository.file_mail(mailbox_name(desk.site, record.device), box)
    if log is not None:
        repository.file_log(log)
    repository.publish(onlinekeys.load(folder), at=now)


# -- who took over the service


class Thief:
    """Whoever has the machine that serves a school: its address and certificate, its files, all keys on it.

    He is given more than a thief has: he knows the laptop's device and serial, and where an attack says so,
    the private key of one person (``stolen``).
    """

    def __init__(self, desk: Desk, laptop: str, network: Network) -> None:
        self.desk = desk
        self.folder = Folder(desk.folder)
        self.record = self.folder.device(laptop)
        self.online = onlinekeys.load(self.folder)
        self.stolen = key_of(desk, "ict-1")
        self.past = read_tree(str(desk.published))  #: what was published when he came, for later
        self._honest = self.past
        self._network = network
        self._rule = desk.folder.parent / "rule"
        self._host: subprocess.Popen[bytes] | None = None
        #: The school's policies, by file name.
        self.policies = {
            path.name: path.read_bytes() for path in sorted((desk.folder / "policies/ict").glob("*.yaml"))
        }
        self.made: set[str] = set()  #: the ids of his orders
        self._numbers = dict(self.record.seqs)
        self._served_with: Path | None = None

    @property
    def mailbox(self) -> str:
        """Of the laptop."""
        return mailbox_name(self.desk.site, str(self.record.device))

    # -- what he serves

    def keep(self) -> None:
        """Note what the school published last; `put_back` serves it again."""
        self._honest = read_tree(str(self.desk.published))

    def put_back(self) -> None:
        """As if he had not been there."""
        self.answer("")
        self.serve(self._honest)

    def forge(self) -> Forge:
        """What is published, to be altered with the keys that he holds."""
        return Forge(read_tree(str(self.desk.published)), self.online, Register(), bits=DEFAULT_BITS)

    def serve(self, files: Files) -> None:
        """Let the host have exactly these files."""
        there = read_tree(str(self.desk.published))
        for name in there.keys() - files.keys():
            (self.desk.published / name).unlink()
        for name, data in files.items():
            if there.get(name) != data:
                path = self.desk.published / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def put(self, forge: Forge, role: str, signed: dict[str, Any], *keys: SigningKey) -> None:
        """A role's next metadata, signed with ``keys``."""
        data = signed_with(signed, {key.public.keyid: key for key in keys})
        forge.files[f"metadata/{signed['version']}.{role}.json"] = data
        forge.meta[f"{role}.json"] = {"version": signed["version"]}

    def finish(self, forge: Forge, **more: Any) -> None:
        """Sign it as fresh, and serve it."""
        self.serve(forge.finish(at=now(), **more))

    # -- orders

    def order(self, kind: str, *keys: SigningKey, **changes: object) -> bytes:
        """An order to the laptop, right in everything but what is changed; nothing is filed."""
        slot = floors.slot(kind)
        self._numbers[slot] = self._numbers.get(slot, 0) + 1
        made = new_id()
        self.made.add(made)
        value = {
            "v": 1,
            "kind": kind,
            "id": made,
            "site": self.desk.site,
            "device": self.record.device,
            "serial_sha256": self.record.serial_sha256,
            "epoch": 1,
            "slot": slot,
            "seq": self._numbers[slot],
            "issued": now(),
            "not_before": now(),
            "expires": now() + (floors.floor(kind).life or 7 * DAY),
            "grace_s": floors.GRACE if floors.floor(kind).destructive else 0,
            "args": {"text": {"en": "Bring it to the gate"}} if kind == "message" else {},
            "reason": "",
            **changes,
        }
        return dsse.sign(jsontext.canonical(value), dsse.ORDER_TYPE, list(keys))

    def beside_the_log(self) -> str:
        """A mailbox of nobody's in the bin that lists the log of orders."""
        forge = self.forge()
        names = (new_id() for _ in range(10_000))
        return next(name for name in names if forge.bin_of(name) == forge.bin_of("log-0.json"))

    def box(self, *envelopes: bytes) -> bytes:
        """These, sealed to the laptop."""
        key = SealPublicKey.from_hex(str(self.record.seal_key))
        return seal(make_mailbox(list(envelopes)), key, purpose="mail")

    def mail(self, *envelopes: bytes) -> None:
        """These in the laptop's mailbox, published with the real keys."""
        self.mail_box(self.box(*envelopes))

    def mail_box(self, box: bytes) -> None:
        """Any bytes in the place of the mailbox."""
        forge = self.forge()
        forge.file_mail(self.mailbox, box)
        self.finish(forge)

    # -- his host

    def answer(self, rule: str) -> None:
        """What the host does instead of serving the files (see evil_host.py)."""
        self._rule.write_text(rule, encoding="utf-8")

    def open_host(self, certificate: Path | None) -> None:
        """Take the service's address. ``certificate``: with its key; None: no TLS."""
        self.close_host()
        self.answer("")
        self._served_with = certificate
        script = str(Path(__file__).with_name("evil_host.py"))
        port, tls = str(self.desk.port), str(certificate or "")
        words = [script, str(self.desk.published), SERVER, port, tls, str(self._rule)]
        quiet = subprocess.DEVNULL
        self._host = self._network.in_lab_ns([sys.executable, *words], stdout=quiet, stderr=quiet)
        self.desk.wait_until_served()

    def open_host_again(self) -> None:
        """With the service's own certificate, if it shows another."""
        if self._served_with != self.certificate:
            self.open_host(self.certificate)

    def close_host(self) -> None:
        """End it (idempotent)."""
        if self._host is not None:
            self._network.stop(self._host)
            self._host = None

    @property
    def certificate(self) -> Path:
        """The service's own, with its key."""
        return self.folder.online / "server.pem"

    def other_certificate(self) -> Path:
        """One for the same address, of an authority of his own."""
        url = f"https://{SERVER}:{self.desk.port}/"
        certificate, key = certificates.make_server(certificates.make_authority("north", now()), [url], now())
        path = self._rule.with_name("other.pem")
        path.write_bytes(certificate + key)
        return path


def _sign(signed: Metadata[Any], keys: list[SigningKey], path: Path) -> None:
    signed.signed.unrecognized_fields["signed_at"] = now()
    signed.signatures.clear()
    for key in keys:
        add_signature(signed, key)
    path.write_bytes(signed.to_bytes())
    path.chmod(0o644)


def now() -> int:
    """Unix seconds."""
    return int(time.time())
