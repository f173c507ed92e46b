"""What each laptop's mailbox was last sealed with: ``orders/filed.json``.

Sealing is random, so without this every publication would change every mailbox. It also tells `plan` what a
laptop was last
told that it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent.core import jsontext, schema
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.trust.mailbox import make_mailbox

FILE = "orders/filed.json"
_MOST = 8 << 20


@dataclass(frozen=True, slots=True)
class Filed:
    """One mailbox as last filed: for which device, the hash of its content, and the groups it told."""

    device: str
    sha256: str
    school: str
    year: str
    class_: str


@dataclass(frozen=True, slots=True)
class _File:
    laptops: Mapping[str, Filed]
    v: int = 1


def read(folder: Folder) -> dict[str, Filed]:
    """By name of the laptop. Raises ``bad-json`` (deleting the file is safe: all mailboxes are sealed once
    more)."""
    path = folder.root / FILE
    if not path.exists():
        return {}
    data = folder.read(path, most=_MOST)
    value = jsontext.parse(data, what=FILE, max_bytes=_MOST, max_nodes=200_000)
    return dict(schema.decode(_File, value, what=FILE).laptops)


def write(folder: Folder, told: dict[str, Filed]) -> None:
    """Keep it."""
    value = schema.encode(_File(dict(sorted(told.items()))))
    folder.write(folder.root / FILE, jsontext.pretty(value).encode("utf-8"))


def distrust(folder: Folder) -> None:
    """Let all mailboxes be sealed once more with the next publish."""
    write(folder, {name: replace(one, sha256="0" * 64) for name, one in read(folder).items()})


def describe(record: DeviceRecord, envelopes: list[bytes]) -> Filed:
    """What filing ``envelopes`` for a laptop comes to."""
    return Filed(
        device=record.device or "",
        sha256=hashlib.sha256(make_mailbox(envelopes)).hexdigest(),
        school=record.school or "",
        year=record.year or "",
        class_=record.class_ or "",
    )
