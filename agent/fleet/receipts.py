"""Receipts at the desk: opened with the returns key, believed for the laptop's own signature, kept in the
folder as text, and looked at as the chain that each laptop's must be."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.trust import receipts
from agent.trust.identity import device_id, mailbox_name
from agent.trust.keys import PublicKey, SealKey
from agent.trust.receipts import Receipt

MOST_RETURN = 512 << 10
MOST_FILE = 128 << 10


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look at the returns came to. ``refused``: (name of the return, why)."""

    new: tuple[tuple[str, Receipt], ...]  #: (laptop, receipt)
    refused: tuple[tuple[str, str], ...]


def take(folder: Folder, returns_key: SealKey) -> Taken:
    """Open every receipt that came back, and keep those that hold in ``receipts/NAME/``."""
    owners = dict(_mailboxes(folder, folder.devices()))
    new: list[tuple[str, Receipt]] = []
    refused: list[tuple[str, str]] = []
    for name in folder.names(folder.returns, ""):
        if not name.startswith(receipts.RETURN_PREFIX):
            continue
        mailbox = name.removeprefix(receipts.RETURN_PREFIX).partition("-")[0]
        try:
            record = owners.get(mailbox)
            if record is None or record.sign_key is None:
                raise BookbagError("not-found", "cannot tell which laptop it is of")
            data = folder.read(folder.returns / name, most=MOST_RETURN)
            envelope = receipts.open_return(data, returns_key)
            receipt = receipts.verify(envelope, PublicKey.from_hex(record.sign_key))
            _keep(folder, record.name, receipt, envelope)
        except BookbagError as error:
            refused.append((name, error.message))
            continue
        new.append((record.name, receipt))
        _settle(folder, name)
    return Taken(tuple(new), tuple(refused))


def read(folder: Folder, laptop: str) -> list[Receipt]:
    """What a laptop told, in order. Raises BookbagError for a file that cannot be believed any more."""
    record = folder.device(laptop)
    if record.sign_key is None:
        return []
    key = PublicKey.from_hex(record.sign_key)
    found = [_read_kept(folder, path, key) for path in _kept(folder, record.name, key)]
    return sorted(found, key=lambda one: one.n)


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


def _keep(folder: Folder, laptop: str, receipt: Receipt, envelope: bytes) -> None:
    value: Mapping[str, object] = {
        **{name: getattr(receipt, name) for name in receipt.__dataclass_fields__ if name != "evidence"},
        "evidence": dict(receipt.evidence),
        "envelope": base64.b64encode(envelope).decode("ascii"),
    }
    path = folder.root / "receipts" / laptop / f"{receipt.device[:8]}-{receipt.n:06d}.json"
    folder.write(path, jsontext.pretty(value).encode("utf-8"))


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


def _settle(folder: Folder, name: str) -> None:
    """It is dealt with; its name stays used."""
    folder.make_dir(folder.returns / "done")
    (folder.returns / name).rename(folder.returns / "done" / name)
