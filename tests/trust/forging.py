"""What a thief of the online keys, or of too few persons' keys, can do to a mirror."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile
from tuf.api.serialization.json import JSONSerializer

from agent.trust.keys import SigningKey
from agent.trust.site.signing import add_signature
from tests.trust.school import School

Edit = Callable[[Any], None]


def load(mirror: Path, name: str) -> Metadata[Any]:
    """Metadata of a mirror, by file name."""
    return Metadata[Any].from_bytes((mirror / "metadata" / name).read_bytes())


def save(mirror: Path, name: str, signed: Metadata[Any], keys: Iterable[SigningKey] = ()) -> bytes:
    """Sign anew with ``keys`` (none: leave the signatures that no longer fit) and write."""
    keys = list(keys)
    if keys:
        signed.signatures.clear()
    for key in keys:
        add_signature(signed, key)
    data = signed.to_bytes(JSONSerializer(compact=True))
    (mirror / "metadata" / name).write_bytes(data)
    return data


def newest(mirror: Path, role: str) -> str:
    """File name of the highest version of ``role`` that lies there."""
    found = (mirror / "metadata").glob(f"*.{role}.json")
    return max((path.name for path in found), key=lambda name: int(name.split(".")[0]))


def republish(
    mirror: Path,
    school: School,
    *,
    snapshot: Edit | None = None,
    timestamp: Edit | None = None,
    online: Any = None,
) -> None:
    """A new snapshot and timestamp by the online keys, listing for every role the bytes that lie there
    now."""
    online = online or school.online
    stamp = load(mirror, "timestamp.json")
    snap = load(mirror, f"{stamp.signed.snapshot_meta.version}.snapshot.json")
    for name, meta in snap.signed.meta.items():
        file = mirror / "metadata" / f"{meta.version}.{name}"
        if file.exists():
            snap.signed.meta[name] = MetaFile.from_data(meta.version, file.read_bytes(), ["sha256"])
    snap.signed.version += 1
    if snapshot:
        snapshot(snap.signed)
    data = save(mirror, f"{snap.signed.version}.snapshot.json", snap, [online.snapshot])
    stamp.signed.version += 1
    stamp.signed.snapshot_meta = MetaFile.from_data(snap.signed.version, data, ["sha256"])
    if timestamp:
        timestamp(stamp.signed)
    save(mirror, "timestamp.json", stamp, [online.timestamp])


def point(mirror: Path, role: str, version: int) -> Edit:
    """An edit of snapshot: ``role`` is at ``version`` (whose file lies there)."""

    def edit(signed: Any) -> None:
        data = (mirror / "metadata" / f"{version}.{role}.json").read_bytes()
        signed.meta[f"{role}.json"] = MetaFile.from_data(version, data, ["sha256"])

    return edit


def edit_role(
    mirror: Path, school: School, role: str, edit: Edit, keys: Iterable[SigningKey], *, bump: bool = True
) -> None:
    """A new version of an offline role, signed by ``keys``, and listed."""
    signed = load(mirror, newest(mirror, role))
    edit(signed.signed)
    signed.signed.version += 1 if bump else 0
    save(mirror, f"{signed.signed.version}.{role}.json", signed, keys)
    republish(mirror, school, snapshot=point(mirror, role, signed.signed.version))


def restage(school: School, role: str, edit: Edit) -> None:
    """Change staged metadata before anyone signs it."""
    path = school.folder / "staged" / "metadata" / f"{role}.json"
    signed = Metadata[Any].from_bytes(path.read_bytes())
    edit(signed.signed)
    signed.signatures.clear()
    path.write_bytes(signed.to_bytes(JSONSerializer()))


def keep_signature_under_second_id(path: Path, keyid: str, second: str) -> None:
    """Copy one signature of a metadata file to another key id."""
    value = json.loads(path.read_bytes())
    made = next(one for one in value["signatures"] if one["keyid"] == keyid)
    value["signatures"].append({**made, "keyid": second})
    path.write_bytes(json.dumps(value).encode())
