"""Who has an account on which laptop: sealed in ``keys/roster/``, given among the laptop's secrets.

Names of students are in nothing that others read, and their first passwords in nothing at all: of those the
desk keeps a hash, to give it again with the laptop's other secrets.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet import firstpassword
from agent.fleet.emit import emit
from agent.fleet.folder import Folder
from agent.fleet.orders import read_order
from agent.fleet.records import DeviceRecord, RosterRecord
from agent.policy.bases import roster
from agent.policy.bases.roster import RosterLine
from agent.trust.keys import SealKey, SealPublicKey
from agent.trust.sealing import seal, unseal

FOLDER = "keys/roster"
_PURPOSE = "desk-roster"
_MOST = 32 << 10


def laptops(folder: Folder) -> list[str]:
    """Those for which accounts are kept."""
    return folder.stems(FOLDER)


def record(folder: Folder, laptop: DeviceRecord) -> RosterRecord | None:
    """What is kept for the present life of a laptop, unopened; None if nothing."""
    if laptop.name not in laptops(folder):
        return None
    found = folder.load(folder.root / FOLDER / f"{laptop.name}.yaml", RosterRecord)
    if found.name != laptop.name:
        why = f"cannot use it: it says name: {found.name}"
        raise BookbagError("bad-yaml", why, place=f"{FOLDER}/{laptop.name}.yaml")
    return found if found.device == laptop.device else None


def lines(folder: Folder, laptop: DeviceRecord, key: SealKey) -> tuple[RosterLine, ...]:
    """The accounts of a laptop. Raises ``bad-envelope`` for what was not sealed to this desk for it."""
    kept = record(folder, laptop)
    if kept is None:
        return ()
    place = f"{FOLDER}/{laptop.name}.yaml"
    try:
        box = base64.b64decode(kept.box, validate=True)
        plain = jsontext.parse(
            unseal(box, key, purpose=_PURPOSE), what=place, max_bytes=_MOST, max_nodes=10 * roster.MOST
        )
        if not isinstance(plain, dict) or (plain.get("name"), plain.get("device")) != (
            kept.name,
            kept.device,
        ):
            raise ValueError
        rows = plain.get("accounts")
        if not isinstance(rows, list) or len(rows) > roster.MOST:
            raise ValueError
        return tuple(roster.read(str(one)) for one in rows)
    except (BookbagError, ValueError):
        why = f"cannot open the accounts of {laptop.name}"
        remedy = f"remove {place}, and import the roster anew"
        raise BookbagError("bad-envelope", why, place=place, remedy=remedy) from None


def values(folder: Folder, laptop: DeviceRecord, key: SealKey) -> Mapping[str, str]:
    """What a laptop is given of it, by the name of the secret."""
    return {roster.slot(n): roster.write(one) for n, one in enumerate(lines(folder, laptop, key), 1)}


def is_given(folder: Folder, laptop: DeviceRecord, epoch: int) -> bool:
    """Whether the laptop's newest order of secrets was signed since its accounts changed."""
    kept, order = record(folder, laptop), read_order(folder, laptop.name, "secrets")
    if kept is None or order is None or order.kind != "secrets":
        return kept is None
    draft = order.draft
    return (draft.device, draft.epoch) == (laptop.device, epoch) and draft.order.issued >= kept.changed


def merged(
    before: Sequence[RosterLine], wanted: Iterable[tuple[str, str]]
) -> tuple[tuple[RosterLine, ...], Mapping[str, str]]:
    """The accounts with these logins and names, and the first passwords of those that are new: who had one
    keeps what is theirs."""
    known = {one.login: one for one in before}
    made: dict[str, str] = {}
    after: list[RosterLine] = []
    for login, shown in wanted:
        if login in known:
            after.append(replace(known[login], shown=shown))
        else:
            made[login] = firstpassword.make()
            after.append(RosterLine(login, shown, roster.FIRST, firstpassword.hashed(made[login])))
    return tuple(after), made


def keep(folder: Folder, laptop: DeviceRecord, accounts: Sequence[RosterLine], now: int) -> None:
    """Keep exactly these, sealed to the desk."""
    plain = {
        "name": laptop.name,
        "device": laptop.device,
        "accounts": [roster.write(one) for one in accounts],
    }
    box = seal(jsontext.canonical(plain), SealPublicKey.from_hex(folder.site().returns_key), purpose=_PURPOSE)
    save(folder, RosterRecord(laptop.name, laptop.device or "", now, base64.b64encode(box).decode("ascii")))


def save(folder: Folder, kept: RosterRecord) -> None:
    """Write ``keys/roster/NAME.yaml``."""
    text = emit(
        {"v": kept.v, "name": kept.name, "device": kept.device, "changed": kept.changed, "box": kept.box},
        comment="Accounts of a laptop's students, sealed to the desk.",
    )
    folder.write(folder.root / FOLDER / f"{kept.name}.yaml", text, mode=0o600)
