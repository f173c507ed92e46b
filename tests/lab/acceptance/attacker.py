"""Dishonest people: one at the desk with a real key, one who took over the service with all its keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from agent.fleet import keyfile, onlinekeys
from agent.fleet.folder import Folder
from agent.trust.keys import SigningKey
from agent.trust.paths import target_place
from agent.trust.site import staging
from agent.trust.site.repository import SiteRepository
from agent.trust.site.signing import add_signature
from agent.trust.site.staging import PolicyFile
from tests.lab.acceptance.desk import Desk


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
