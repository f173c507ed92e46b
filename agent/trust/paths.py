"""Names in a site repository and how large each may be: one layout for the static host, a stick, a
neighbour and the spool.

metadata/N.root.json · metadata/timestamp.json · metadata/N.snapshot.json · metadata/N.ROLE.json ·
targets/FOLDER/SHA256.NAME · blobs/HH/SHA256
"""

from __future__ import annotations

METADATA = "metadata"
TARGETS = "targets"
TIMESTAMP = f"{METADATA}/timestamp.json"
MAIL = "mail"
MOST_NUMBER = (1 << 53) - 1  #: the greatest whole number that every JSON parser has
TRUST_TARGET = "trust.json"
INDEX = "index.json"
KINDS = ("policy", "power")  #: in this order: KINDS[power]
CONTENT = "content"
CATALOGUE = "catalogue.json"
ROLE_KINDS = (*KINDS, CONTENT)  #: what a role of trust.json may sign
BLOBS = "blobs"  #: manifests and packs of content, by hash: no targets of the update framework

MOST_METADATA = 512 << 10
MOST_TIMESTAMP = 16 << 10
MOST_TARGET = 512 << 10
MOST_DOCUMENTS = 64  #: of one role
MOST_DOCUMENT = 256 << 10  #: bytes

_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


def role_name(kind: str, role: str) -> str:
    """The delegated role of ``role``'s ``policy``, ``power`` or ``content``."""
    return f"{kind}-{role}"


def role_file(version: int, role: str) -> str:
    """Where that version of a role's metadata lies."""
    return f"{METADATA}/{version}.{role}.json"


def target_file(path: str, sha256: str) -> str:
    """Where the target ``path`` lies below ``targets/``: its hash is part of its name."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{sha256}.{name}" if folder else f"{sha256}.{name}"


def target_place(path: str, sha256: str) -> str:
    """Where the target ``path`` lies in the repository."""
    return f"{TARGETS}/{target_file(path, sha256)}"


def is_document_name(name: str) -> bool:
    """Whether a policy file may be called that."""
    return 1 <= len(name) <= 64 and _NAME.issuperset(name) and name[0] not in "-." and name != INDEX


def first_document(kind: str) -> str:
    """The file that says what else a role has."""
    return CATALOGUE if kind == CONTENT else INDEX


def blob_place(sha256: str) -> str:
    """Where a blob of content lies in the repository: not all in one folder, for the file systems of
    sticks."""
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


def cap(name: str) -> int:
    """How many bytes the file ``name`` may have."""
    if name == TIMESTAMP:
        return MOST_TIMESTAMP
    return MOST_METADATA if name.startswith(f"{METADATA}/") else MOST_TARGET
