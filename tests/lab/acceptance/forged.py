"""Mail that somebody forges who took over a school's service, with every key on it; some with the stolen
key of one person as well: orders, which all lie in one mailbox beside an honest one, and boxes that are none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from agent.core import jsontext
from agent.core.clock import DAY
from agent.trust import dsse, floors
from agent.trust.commandlog import CommandLog
from agent.trust.keys import SealKey, SigningKey
from agent.trust.mailbox import make_mailbox
from agent.trust.sealing import seal
from tests.lab.acceptance.attacker import Thief, now, signed_again
from tests.lab.acceptance.attacks import attack, name_of, says_of


@dataclass(frozen=True, slots=True)
class Forged:
    """One order that is not to be obeyed. ``code``: why."""

    name: str
    says: str
    make: Callable[[Thief], bytes]
    code: str


ORDERS: list[Forged] = []


def order(code: str) -> Callable[[Callable[[Thief], bytes]], object]:
    """List a function as one that makes an order which is not to be obeyed."""

    def add(make: Callable[[Thief], bytes]) -> object:
        ORDERS.append(Forged(name_of(make), says_of(make), make, code))
        return make

    return add


@order("bad-signature")
def lock_by_the_service(thief: Thief) -> bytes:
    """A lock, signed with all that the service has."""
    online = thief.online
    return thief.order("lock", online.timestamp, online.snapshot, online.mail)


@order("bad-signature")
def unlock_by_a_stranger(thief: Thief) -> bytes:
    """An unlock, signed with a fresh key."""
    return thief.order("unlock", SigningKey.generate())


@order("bad-signature")
def wipe_by_the_service(thief: Thief) -> bytes:
    """A wipe, signed with all that the service has."""
    online = thief.online
    return thief.order("wipe", online.timestamp, online.snapshot, online.mail)


@order("bad-signature")
def wipe_in_the_name_of_two_persons(thief: Thief) -> bytes:
    """A wipe under the ids of two persons, with signatures made up."""
    made = thief.order("wipe", SigningKey.generate(), SigningKey.generate())
    value = jsontext.parse(made, what="envelope")
    assert isinstance(value, dict)
    people = thief.folder.people()
    named = [
        {**one, "keyid": person.keys[0]} for one, person in zip(value["signatures"], people, strict=False)
    ]
    return jsontext.canonical({**value, "signatures": named})


@order("under-signed")
def wipe_by_one_stolen_key(thief: Thief) -> bytes:
    """A wipe by one person, where it takes two."""
    return thief.order("wipe", thief.stolen)


@order("under-signed")
def wipe_by_one_stolen_key_twice(thief: Thief) -> bytes:
    """A wipe signed twice by one person, once as somebody else."""
    return signed_again(thief.order("wipe", thief.stolen))


@order("under-signed")
def readmission_by_one_stolen_key(thief: Thief) -> bytes:
    """A readmission that would let old word in, by one person, where it takes two."""
    return thief.order("readmit", thief.stolen, args={"marks": {"targets": 1}})


@order("bad-signature")
def assignment_by_the_service(thief: Thief) -> bytes:
    """Another school, year and class for the laptop."""
    args = {"school": "evil", "year": "1", "class": "1a", "sign_key": "0" * 64, "seal_key": "0" * 64}
    return thief.order("assign", thief.online.mail, args=args)


@order("wrong-device")
def assignment_of_other_keys_by_a_stolen_key(thief: Thief) -> bytes:
    """A person's signature on an assignment that vouches for keys of the thief's."""
    args = {"school": "evil", "year": "1", "class": "1a"}
    keys = {"sign_key": SigningKey.generate().public.hex, "seal_key": SealKey.generate().public.hex}
    return thief.order("assign", thief.stolen, args={**args, **keys})


@order("bad-signature")
def message_altered(thief: Thief) -> bytes:
    """A real person's signature under other words."""
    real = jsontext.parse(thief.order("message", thief.stolen), what="envelope")
    fake = jsontext.parse(thief.order("message"), what="envelope")
    assert isinstance(real, dict) and isinstance(fake, dict)
    return jsontext.canonical({**fake, "signatures": real["signatures"]})


@order("bad-envelope")
def message_signed_as_something_else(thief: Thief) -> bytes:
    """A person's signature on the right bytes, given for another purpose."""
    payload = dsse.parse(thief.order("message")).payload
    return dsse.sign(payload, "application/vnd.example.note", [thief.stolen])


@order("wrong-device")
def message_to_another_laptop(thief: Thief) -> bytes:
    """What a person signed for another laptop."""
    return thief.order("message", thief.stolen, device="0" * 32)


@order("wrong-site")
def message_of_another_site(thief: Thief) -> bytes:
    """What a person, who works for two schools, signed for the other."""
    return thief.order("message", thief.stolen, site="south")


@order("wrong-serial")
def message_to_another_machine(thief: Thief) -> bytes:
    """What a person signed for these keys in another machine."""
    return thief.order("message", thief.stolen, serial_sha256="0" * 64)


@order("wrong-epoch")
def message_of_a_former_epoch(thief: Thief) -> bytes:
    """What a person signed in another epoch, since when somebody was dismissed."""
    return thief.order("message", thief.stolen, epoch=7)


@order("expired")
def message_after_its_time(thief: Thief) -> bytes:
    """What a person signed that is over."""
    return thief.order(
        "message", thief.stolen, issued=now() - 2 * DAY, not_before=now() - 2 * DAY, expires=now() - DAY
    )


@order("bad-envelope")
def message_for_ever(thief: Thief) -> bytes:
    """An order that lives longer than its kind may."""
    return thief.order("message", thief.stolen, expires=now() + 100 * DAY)


@order("seq-jump")
def numbers_run_up(thief: Thief) -> bytes:
    """A number so high that no later order would count."""
    return thief.order("message", thief.stolen, seq=1 << 40)


@order("replayed")
def unlock_from_before(thief: Thief) -> bytes:
    """A genuine order that a later one has replaced."""
    return thief.order("unlock", thief.stolen, seq=1)


@order("under-signed")
def order_of_a_kind_of_his_own(thief: Thief) -> bytes:
    """Something that no version obeys."""
    return thief.order("run", thief.stolen, args={"program": "rm"})


@order("not-logged")
def lock_that_the_log_does_not_name(thief: Thief) -> bytes:
    """A lock by a person that the public log hides."""
    return thief.order("lock", thief.stolen)


# -- the mailbox, the log


@attack("rollback", "bad-metadata")
def log_of_another_past(thief: Thief) -> None:
    """A public log with another past, which names his lock; a person signed it."""
    lock = thief.order("lock", thief.stolen)
    log = CommandLog()
    for one in (b"never", b"happened", dsse.parse(lock).payload):
        log = log.extended(hashlib.sha256(one).hexdigest(), floors.HOLD, now())
    forge = thief.forge()
    forge.file_log(log)
    forge.file_mail(thief.mailbox, thief.box(lock))
    thief.finish(forge)


@attack("bad-envelope")
def mailbox_in_clear(thief: Thief) -> None:
    """A mailbox that is not sealed."""
    thief.mail_box(make_mailbox([thief.order("message", thief.stolen)]))


@attack("bad-envelope")
def mailbox_of_another_laptop(thief: Thief) -> None:
    """A mailbox that is sealed to somebody else."""
    box = make_mailbox([thief.order("message", thief.stolen)])
    thief.mail_box(seal(box, SealKey.generate().public, purpose="mail"))


@attack("bad-envelope", "too-large")
def mailbox_of_noise(thief: Thief) -> None:
    """Half a mebibyte of zeros for a mailbox."""
    thief.mail_box(bytes(500_000))


@attack("not-found")  # it is not fetched
def mailbox_without_end(thief: Thief) -> None:
    """Four mebibytes of mailbox, named in the bin as what they are."""
    thief.mail_box(bytes(4 << 20))


@attack("bad-envelope")
def mailbox_of_a_thousand_orders(thief: Thief) -> None:
    """A thousand copies of one order, in a box that any laptop may open."""
    thief.mail_box(thief.box(*[b"{}"] * 1000))
