"""The demonstration's opponents: what an attacker at the service, or one dishonest person, really can do."""

from __future__ import annotations

from pathlib import Path

from agent.fleet import keyfile, onlinekeys
from agent.fleet.folder import Folder
from agent.trust.keys import SigningKey
from agent.trust.site.repository import SiteRepository
from agent.trust.site.staging import PolicyFile

ROLE = "policy-ict"


def steal_person_key(desk: str, person: str, passphrase: str) -> SigningKey:
    """A person's private key, as someone with the key file and the passphrase gets it."""
    path = Path(desk, "keys", f"{person}.json")
    return keyfile.unlock(path.read_bytes(), passphrase.encode(), place=str(path)).sign


def publish_past_the_desk(desk: str, documents: dict[str, bytes], key: SigningKey, now: int) -> None:
    """One person with a real key publishes ``documents`` as policy without asking `bookbag-fleet check`."""
    repository = SiteRepository.open(desk)
    files = {name: PolicyFile(data, "school") for name, data in documents.items()}
    repository.stage_documents("ict", files, at=now, power=False)
    repository.sign(ROLE, key)
    repository.publish(onlinekeys.load(Folder(Path(desk))), at=now)
