"""The demonstration's opponents: what an attacker at the service, or one dishonest person, really can do."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Snapshot, TargetFile, Targets, Timestamp

from agent.fleet import keyfile, onlinekeys
from agent.fleet.folder import Folder
from agent.trust.keys import SigningKey
from agent.trust.site.repository import SiteRepository
from agent.trust.site.signing import add_signature
from agent.trust.site.staging import PolicyFile

ROLE = "policy-ict"


def steal_person_key(desk: str, person: str, passphrase: str) -> SigningKey:
    """A person's private key, as someone with the key file and the passphrase gets it."""
    path = Path(desk, "keys", f"{person}.json")
    return keyfile.unlock(path.read_bytes(), passphrase.encode(), place=str(path)).sign


def forge_policy(desk: str, name: str, old: str, new: str, now: int, person: SigningKey | None = None) -> str:
    """Replace ``old`` by ``new`` in the published document ``name``; sign with every key the service has.

    The role itself is signed with ``person``'s key, or one of the attacker's own. Returns the SHA-256 of the
    forged timestamp.
    """
    online = onlinekeys.load(Folder(Path(desk)))
    folder = f"{desk}/published/metadata"
    timestamp = Metadata[Timestamp].from_file(f"{folder}/timestamp.json")
    snapshot = Metadata[Snapshot].from_file(
        f"{folder}/{timestamp.signed.snapshot_meta.version}.snapshot.json"
    )
    version = snapshot.signed.meta[f"{ROLE}.json"].version
    role = Metadata[Targets].from_file(f"{folder}/{version}.{ROLE}.json")
    was, forged = _replace(desk, role.signed, name, old, new)
    _replace(desk, role.signed, "index.json", was, forged)
    _sign(role, person or SigningKey.generate(), now, f"{folder}/{version + 1}.{ROLE}.json")
    snapshot.signed.meta[f"{ROLE}.json"] = MetaFile(role.signed.version)
    number = snapshot.signed.version + 1
    _sign(snapshot, online.snapshot, now, f"{folder}/{number}.snapshot.json")
    timestamp.signed.snapshot_meta = MetaFile(number)
    _sign(timestamp, online.timestamp, now, f"{folder}/timestamp.json")
    return hashlib.sha256(Path(folder, "timestamp.json").read_bytes()).hexdigest()


def _replace(desk: str, role: Targets, name: str, old: str, new: str) -> tuple[str, str]:
    """Publish the target ``name`` with ``old`` replaced; (SHA-256 before, after)."""
    path = f"policy/ict/{name}"
    folder = f"{desk}/published/targets/policy/ict"
    before = role.targets[path].hashes["sha256"]
    data = Path(folder, f"{before}.{name}").read_text(encoding="utf-8").replace(old, new).encode()
    role.targets[path] = TargetFile.from_data(path, data, ["sha256"])
    after = role.targets[path].hashes["sha256"]
    Path(folder, f"{after}.{name}").write_bytes(data)
    return before, after


def _sign(metadata: Metadata[Any], key: SigningKey, now: int, path: str) -> None:
    metadata.signed.version += 1
    metadata.signed.unrecognized_fields["signed_at"] = now
    metadata.signatures.clear()
    add_signature(metadata, key)
    metadata.to_file(path)
    os.chmod(path, 0o644)


def publish_past_the_desk(desk: str, documents: dict[str, bytes], key: SigningKey, now: int) -> None:
    """One person with a real key publishes ``documents`` as policy without asking `bookbag-fleet check`."""
    repository = SiteRepository.open(desk)
    files = {name: PolicyFile(data, "school") for name, data in documents.items()}
    repository.stage_documents("ict", files, at=now, power=False)
    repository.sign(ROLE, key)
    repository.publish(onlinekeys.load(Folder(Path(desk))), at=now)
