"""index.json of a policy or power role: which documents there are, with hash, rank and whom each is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.fields import Fields
from agent.trust.paths import INDEX, MOST_DOCUMENTS, is_document_name
from agent.trust.persons import RANKS

VERSION = 1


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What index.json says of one document, so that a laptop knows whom it is for before parsing any YAML."""

    sha256: str
    rank: str = ""
    targeted: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


def read_index(data: bytes, site: str, kind: str, role: str) -> dict[str, IndexEntry]:
    """index.json of a role. Raises ``bad-metadata``, ``wrong-site``."""
    what = f"{kind}/{role}/{INDEX}"
    top = Fields(jsontext.parse(data, what=what), what)
    top.version(VERSION)
    if (top.name("site"), top.name("kind"), top.name("role")) != (site, kind, role):
        raise BookbagError("wrong-site", f"cannot accept {what}: it is of another site or role", place=what)
    entries = {}
    for name, one in top.table("documents", MOST_DOCUMENTS).items():
        rank = one.text("rank", 16, "")
        if not is_document_name(name) or (rank and rank not in RANKS):
            raise BookbagError(
                "bad-metadata", f"cannot accept {what}: entry {name[:64]!r} is malformed", place=what
            )
        applies = one.inside("applies_to") if one.has("applies_to") else Fields({}, what)
        targeted = {key: applies.texts(key, 64, 64) for key in applies}
        entries[name] = IndexEntry(one.hex("sha256", 32).hex(), rank, MappingProxyType(targeted))
    return entries


def write_index(entries: Mapping[str, IndexEntry], site: str, kind: str, role: str) -> bytes:
    """The inverse of read_index."""
    documents = {
        name: {
            "sha256": one.sha256,
            "rank": one.rank,
            "applies_to": {key: list(values) for key, values in one.targeted.items()},
        }
        for name, one in entries.items()
    }
    return jsontext.canonical(
        {"v": VERSION, "site": site, "kind": kind, "role": role, "documents": documents}
    )
