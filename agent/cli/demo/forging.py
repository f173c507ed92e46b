"""Forged orders: what somebody who has the server, and every key on it, can put into mailboxes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.core import jsontext
from agent.core.ids import new_id
from agent.fleet import onlinekeys, publiclog
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord, SiteRecord
from agent.trust import dsse, floors
from agent.trust.identity import mailbox_name
from agent.trust.keys import SealPublicKey, SigningKey
from agent.trust.mailbox import make_mailbox
from agent.trust.sealing import seal
from agent.trust.site.online import Online
from agent.trust.site.repository import SiteRepository


@dataclass(frozen=True, slots=True)
class Forger:
    """All that the thief has: the folder that is served, and the keys that publish it."""

    folder: Folder
    site: SiteRecord
    online: Online
    now: int

    @classmethod
    def at(cls, desk: str, now: int) -> Forger:
        """On the machine where ``desk`` is published."""
        folder = Folder(Path(desk))
        return cls(folder, folder.site(), onlinekeys.load(folder), now)

    def wipe(self, to: DeviceRecord) -> bytes:
        """A wipe, correct in everything but its signatures."""
        return jsontext.canonical(
            {
                "v": 1,
                "kind": "wipe",
                "id": new_id(),
                "site": self.site.site,
                "device": to.device,
                "serial_sha256": to.serial_sha256,
                "epoch": self.site.epoch,
                "slot": floors.slot("wipe"),
                "seq": 99,
                "issued": self.now,
                "not_before": self.now,
                "expires": self.now + floors.floor("wipe").life,
                "grace_s": floors.GRACE,
                "args": {},
                "reason": "",
            }
        )

    def real_order(self, to: DeviceRecord) -> bytes:
        """What persons really signed for a laptop: its assignment."""
        return (self.folder.orders / to.name / "assign.json").read_bytes()


Trick = Callable[[Forger, DeviceRecord, DeviceRecord], bytes]


def by_the_server(thief: Forger, to: DeviceRecord, other: DeviceRecord) -> bytes:
    """Signed by the keys that publish."""
    online = thief.online
    return dsse.sign(thief.wipe(to), dsse.ORDER_TYPE, [online.mail, online.snapshot, online.timestamp])


def by_a_name(thief: Forger, to: DeviceRecord, other: DeviceRecord) -> bytes:
    """Said to be signed by a person, with a signature made up."""
    value = jsontext.parse(by_the_server(thief, to, other), what="order")
    persons = thief.folder.people()[:2]
    made_up = [{"keyid": one.keys[0], "sig": value["signatures"][0]["sig"]} for one in persons]  # type: ignore[index]
    return jsontext.canonical({**value, "signatures": made_up})  # type: ignore[dict-item]


def by_strangers(thief: Forger, to: DeviceRecord, other: DeviceRecord) -> bytes:
    """Signed well, by two keys that the school does not know."""
    keys = [SigningKey.generate(), SigningKey.generate()]
    return dsse.sign(thief.wipe(to), dsse.ORDER_TYPE, keys)


def altered(thief: Forger, to: DeviceRecord, other: DeviceRecord) -> bytes:
    """A real order's signatures under another order."""
    real = jsontext.parse(thief.real_order(to), what="order")
    fake = jsontext.parse(by_the_server(thief, to, other), what="order")
    return jsontext.canonical({**fake, "signatures": real["signatures"]})  # type: ignore[dict-item,index]


def anothers(thief: Forger, to: DeviceRecord, other: DeviceRecord) -> bytes:
    """A real order, for another laptop."""
    return jsontext.canonical(jsontext.parse(thief.real_order(other), what="order"))


def enormous(thief: Forger, to: DeviceRecord, other: DeviceRecord) -> bytes:
    """So large that whoever reads it may fall over."""
    return b" " * (dsse.MOST_BYTES + 1)


TRICKS: tuple[Trick, ...] = (by_the_server, by_a_name, by_strangers, altered, anothers, enormous)


def wipe_all(desk: str, laptops: Sequence[str], now: int) -> None:
    """Put a forged order into every mailbox, a trick for each, and publish with all of the server's keys."""
    thief = Forger.at(desk, now)
    records = [thief.folder.device(name) for name in laptops]
    repository = SiteRepository.open(desk)
    for number, record in enumerate(records):
        trick = TRICKS[number % len(TRICKS)]
        _file(repository, thief, record, trick(thief, record, records[number - 1]))
    repository.publish(thief.online, at=now)


def wipe_one(desk: str, laptop: str, now: int, persons: Sequence[SigningKey]) -> None:
    """The same for one laptop, signed by ``persons`` and named in the public log, as it must be."""
    thief = Forger.at(desk, now)
    record = thief.folder.device(laptop)
    payload = thief.wipe(record)
    repository = SiteRepository.open(desk)
    _file(repository, thief, record, dsse.sign(payload, dsse.ORDER_TYPE, list(persons)))
    log = publiclog.read(thief.folder).extended(hashlib.sha256(payload).hexdigest(), floors.ERASE, now)
    repository.file_log(log)
    repository.publish(thief.online, at=now)


def _file(repository: SiteRepository, thief: Forger, record: DeviceRecord, envelope: bytes) -> None:
    if record.device is None or record.seal_key is None:
        return
    box = seal(make_mailbox([envelope]), SealPublicKey.from_hex(record.seal_key), purpose="mail")
    repository.file_mail(mailbox_name(thief.site.site, record.device), box)
