"""Named secrets at the desk, such as pass-phrases of Wi-Fi: sealed in ``keys/secrets/``, given to laptops in
signed orders whose values only the laptop opens.

The folder, its history and every order show names alone. Which secrets a laptop has is what its newest order
of the kind names; each order brings all of them.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet import roster
from agent.fleet.emit import emit
from agent.fleet.folder import Folder
from agent.fleet.orders import OrderFile, Wish, read_order
from agent.fleet.records import DeviceRecord, SecretRecord
from agent.policy.bases.roster import is_slot
from agent.trust import orderargs, secretbox
from agent.trust.fields import Fields
from agent.trust.keys import SealKey, SealPublicKey
from agent.trust.sealing import seal, unseal

FOLDER = "keys/secrets"
KIND = "secrets"
_PURPOSE = "desk-secret"


@dataclass(frozen=True, slots=True)
class Held:
    """What a laptop was given. ``fresh``: those of which it has the newest value, as far as was signed."""

    names: tuple[str, ...] = ()
    fresh: frozenset[str] = frozenset()


def names(folder: Folder) -> list[str]:
    """Every secret there is."""
    return folder.stems(FOLDER)


def record(folder: Folder, name: str) -> SecretRecord:
    """What is known of one without opening it. Raises ``not-found``."""
    if name not in names(folder):
        known = ", ".join(names(folder)[:10]) or "none yet"
        raise BookbagError("not-found", f"cannot find a secret {name!r}", remedy=f"there are: {known}")
    found = folder.load(folder.root / FOLDER / f"{name}.yaml", SecretRecord)
    if found.name != name:
        raise BookbagError(
            "bad-yaml", f"cannot use it: it says name: {found.name}", place=f"{FOLDER}/{name}.yaml"
        )
    return found


def keep(folder: Folder, name: str, value: str, now: int) -> None:
    """Keep a value, sealed to the desk. Raises ``bad-argument`` for what cannot be one."""
    check_name(name, "the name of a secret")
    if is_slot(name):
        raise BookbagError(
            "bad-argument", f"cannot use the name {name}: it is kept for accounts of the roster"
        )
    plain = jsontext.canonical({"name": name, "value": secretbox.check_value(value)})
    box = seal(plain, SealPublicKey.from_hex(folder.site().returns_key), purpose=_PURPOSE)
    save(folder, SecretRecord(name, now, base64.b64encode(box).decode("ascii")))


def save(folder: Folder, kept: SecretRecord) -> None:
    """Write ``keys/secrets/NAME.yaml``."""
    lines = emit(
        {"v": kept.v, "name": kept.name, "changed": kept.changed, "box": kept.box},
        comment="A secret, sealed to the desk. The laptops that have it got it in their orders.",
    )
    folder.write(folder.root / FOLDER / f"{kept.name}.yaml", lines, mode=0o600)


def value(folder: Folder, name: str, key: SealKey) -> str:
    """The value of one. Raises ``not-found``, or ``bad-envelope`` if it was not sealed to this desk under
    this name."""
    place = f"{FOLDER}/{name}.yaml"
    try:
        box = base64.b64decode(record(folder, name).box, validate=True)
        plain = jsontext.parse(unseal(box, key, purpose=_PURPOSE), what=place)
        found = plain.get("value") if isinstance(plain, dict) and plain.get("name") == name else None
        return secretbox.check_value(found)
    except (BookbagError, ValueError) as error:
        if isinstance(error, BookbagError) and error.code in ("not-found", "bad-yaml", "format-too-new"):
            raise
        raise BookbagError(
            "bad-envelope",
            f"cannot open the secret {name}",
            place=place,
            remedy=f"set it anew: bookbag-fleet secret set {name}",
        ) from None


def forget(folder: Folder, name: str) -> None:
    """Take it out of the folder. Its history in git has it still, sealed."""
    (folder.root / FOLDER / f"{name}.yaml").unlink()


def held(folder: Folder, laptop: DeviceRecord, epoch: int) -> Held:
    """What a laptop was given in its present life."""
    order = read_order(folder, laptop.name, KIND)
    if order is None or order.kind != KIND or order.draft.device != laptop.device:
        return Held()
    given = orderargs.secrets_args(order.draft.order).names
    if order.draft.epoch != epoch:
        return Held(given)  # it may never have heard of it
    known = names(folder)
    issued = order.draft.order.issued
    return Held(
        given, frozenset(one for one in given if one in known and record(folder, one).changed <= issued)
    )


def holders(folder: Folder, name: str, epoch: int) -> list[DeviceRecord]:
    """The laptops that were given it."""
    here = (one for one in folder.devices() if one.state == "assigned")
    return [one for one in here if name in held(folder, one, epoch).names]


def wish(folder: Folder, laptop: DeviceRecord, wanted: Iterable[str], key: SealKey, reason: str = "") -> Wish:
    """The order that gives a laptop exactly these, and the accounts of its students. Raises ``not-found``,
    ``bad-argument`` for too many."""
    if laptop.device is None or laptop.seal_key is None:
        raise BookbagError("not-found", f"cannot give {laptop.name} secrets: its keys are not known")
    named = {name: value(folder, name, key) for name in set(wanted)}
    values = dict(sorted({**named, **roster.values(folder, laptop, key)}.items()))
    to = SealPublicKey.from_hex(laptop.seal_key)
    box = secretbox.seal_values(values, folder.site().site, laptop.device, to)
    return Wish(KIND, {"names": list(values), "box": base64.b64encode(box).decode("ascii")}, reason)


def said(order: OrderFile) -> Mapping[str, object]:
    """What an order of this kind says to people: names."""
    args = Fields(dict(order.draft.order.args), "secrets order", path="args", code="bad-envelope")
    return {"names": list(args.names("names", secretbox.MOST))}
