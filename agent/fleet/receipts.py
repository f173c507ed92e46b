"""Receipts at the desk: opened with the returns key, believed for the laptop's own signature, kept in the
folder as text, and looked at as the chain that each laptop's must be.

What was sent is known again by its hash, which is kept with the receipt: nothing of the return stays.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.core import jsontext, returns
from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.fleet.refused import FOR_GOOD, set_aside
from agent.trust import receipts, returned
from agent.trust.identity import device_id, mailbox_name
from agent.trust.keys import PublicKey, SealKey
from agent.trust.receipts import Receipt

MOST_FILE = 128 << 10


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look at the returns came to. ``refused``: (name of the return, why)."""

    new: tuple[tuple[str, Receipt], ...]  #: (laptop, receipt)
    refused: tuple[tuple[str, str], ...]


def take(folder: Folder, returns_key: SealKey) -> Taken:
    """Open every receipt that came back, and keep those that hold in ``receipts/NAME/``; those that never
    will are set aside, and told of this once."""
    owners = dict(_mailboxes(folder, folder.devices()))
    new: list[tuple[str, Receipt]] = []
    refused: list[tuple[str, str]] = []
    aside: list[str] = []
    for name in folder.names(folder.returns, "", prefix=returns.RECEIPT):
        try:
            record, receipt, envelope, sent = _open(folder, name, owners, returns_key)
        except BookbagError as error:
            refused.append((name, error.message))
            aside += [name] if error.code in FOR_GOOD else []
            continue
        keep(folder, record.name, receipt, envelope, sent)
        (folder.returns / name).unlink()  # taken once more if this gets lost: it is the same file again
        new.append((record.name, receipt))
    set_aside(folder, aside)
    return Taken(tuple(new), tuple(refused))


def is_new(folder: Folder, record: DeviceRecord, name: str, sent: str) -> bool:
    """Whether the receipt that a laptop sends under ``name`` is not kept yet; ``sent`` is SHA-256 (hex) of
    the return. Raises ``already-done`` if another one of that number is, ``state-corrupt``."""
    assert record.device is not None  # noqa: S101  # its mailbox is known
    path = _place(folder, record.name, record.device, returns.number_of(name))
    place = folder.relative(path)
    try:
        value = jsontext.parse(folder.read(path, most=MOST_FILE), what=place)
    except BookbagError as error:
        if error.code == "not-found":
            return True
        why = f"cannot take another one: {error.message}"
        raise BookbagError("state-corrupt", why, place=place, remedy="restore it from git") from None
    if isinstance(value, dict) and value.get("sent") == sent:
        return False
    raise BookbagError(
        "already-done", "cannot take this receipt: another one of this number is kept", place=name
    )


def _open(
    folder: Folder, name: str, owners: Mapping[str, DeviceRecord], returns_key: SealKey
) -> tuple[DeviceRecord, Receipt, bytes, str]:
    """(whose, the receipt, its envelope, hash of the return). Raises BookbagError for what cannot be
    believed."""
    record = owners.get(returns.mailbox_of(name))
    if record is None or record.sign_key is None:
        raise BookbagError("not-found", "cannot tell which laptop it is of")
    key = PublicKey.from_hex(record.sign_key)
    data = folder.read(folder.returns / name, most=returned.MOST)
    envelope = receipts.open_return(data, name, key, returns_key)
    receipt = receipts.verify(envelope, key)
    if receipt.n != returns.number_of(name):
        raise BookbagError("bad-envelope", f"cannot believe this receipt: inside it has number {receipt.n}")
    sent = hashlib.sha256(data).hexdigest()
    is_new(folder, record, name, sent)
    return record, receipt, envelope, sent


def read(folder: Folder, laptop: str) -> list[Receipt]:
    """What a laptop told, in order. Raises BookbagError for a file that cannot be believed any more."""
    record = folder.device(laptop)
    if record.sign_key is None:
        return []
    key = PublicKey.from_hex(record.sign_key)
    found = [_read_kept(folder, path, key) for path in _kept(folder, record.name, key)]
    return sorted(found, key=lambda one: one.n)


def last(folder: Folder, record: DeviceRecord, most: int) -> list[Receipt]:
    """The ``most`` newest of what a laptop told, in order; no other is opened. Raises as `read`."""
    if record.sign_key is None:
        return []
    key = PublicKey.from_hex(record.sign_key)
    return [_read_kept(folder, path, key) for path in _kept(folder, record.name, key)[-most:]]


def newest(folder: Folder, record: DeviceRecord) -> tuple[int, Receipt | None]:
    """(how many a laptop told, the newest of them); only that one is opened. Raises as `read`."""
    if record.sign_key is None:
        return 0, None
    key = PublicKey.from_hex(record.sign_key)
    kept = _kept(folder, record.name, key)
    return len(kept), _read_kept(folder, kept[-1], key) if kept else None


def forks(folder: Folder) -> list[str]:
    """Laptops that saw different logs of orders: somebody shows them different things."""
    seen: dict[int, dict[str, str]] = {}
    for record in folder.devices():
        for one in read(folder, record.name):
            if one.log_n:
                seen.setdefault(one.log_n, {}).setdefault(one.log_hash, record.name)
    return [
        f"entry {n} of the log of orders is another one for {', '.join(sorted(by_hash.values()))}: somebody "
        "with the server's keys showed them different logs, or this folder went back to an old copy; "
        "if the keys were not replaced since: bookbag-fleet rotate online"
        for n, by_hash in sorted(seen.items())
        if len(by_hash) > 1
    ]


def _mailboxes(folder: Folder, devices: Iterable[DeviceRecord]) -> Iterator[tuple[str, DeviceRecord]]:
    site = folder.site().site
    for record in devices:
        if record.device is not None:
            yield mailbox_name(site, record.device), record


def keep(folder: Folder, laptop: str, receipt: Receipt, envelope: bytes, sent: str) -> None:
    """Write a verified receipt into ``receipts/``; ``sent`` is SHA-256 (hex) of the return it came in."""
    value: Mapping[str, object] = {
        **{name: getattr(receipt, name) for name in receipt.__dataclass_fields__ if name != "evidence"},
        "evidence": dict(receipt.evidence),
        "envelope": base64.b64encode(envelope).decode("ascii"),
        "sent": sent,
    }
    path = _place(folder, laptop, receipt.device, receipt.n)
    folder.write(path, jsontext.pretty(value).encode("utf-8"))


def _place(folder: Folder, laptop: str, device: str, n: int) -> Path:
    return folder.root / "receipts" / laptop / f"{device[:8]}-{n:06d}.json"


def _kept(folder: Folder, laptop: str, key: PublicKey) -> list[Path]:
    """Their files, in order. Those of its former life, before it was enrolled anew, begin with another id."""
    box = folder.root / "receipts" / laptop
    names = [name for name in folder.names(box, ".json") if name.startswith(device_id(key)[:8])]
    return [box / name for name in sorted(names, key=lambda name: (len(name), name))]


def _read_kept(folder: Folder, path: Path, key: PublicKey) -> Receipt:
    place = folder.relative(path)

    def read(path: Path) -> Receipt:
        value = jsontext.parse(folder.read(path, most=MOST_FILE), what=place)
        envelope = value.get("envelope") if isinstance(value, dict) else None
        if not isinstance(envelope, str):
            raise BookbagError("bad-envelope", "cannot find the envelope of this receipt")
        return receipts.verify(base64.b64decode(envelope), key)

    try:
        return folder.remembered(path, read)  # whose name begins with the key's hash
    except BookbagError as error:
        raise BookbagError(error.code, error.message, place=place, remedy="restore it from git") from None
