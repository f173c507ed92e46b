"""Our own second look at signed metadata: the site it names, when it was signed, and which *persons* stand
behind it.

python-tuf counts key ids. One key under two ids, or two keys of one person, would meet its threshold; here
raw keys and then persons are counted, on the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from securesystemslib.signer import Key, SSlibKey
from tuf.api.metadata import Delegations, Metadata, Role, Root, Signed, SuccinctRoles, Targets

from agent.core.errors import BookbagError
from agent.trust.fields import Fields
from agent.trust.keys import PublicKey
from agent.trust.persons import distinct
from agent.trust.updater import framework_errors

_MOST_TIME = 1 << 40


@dataclass(frozen=True, slots=True)
class RootFields:
    """What root's signatures say beyond TUF. ``persons``: key id → person, for the holders of root and
    targets keys."""

    site: str
    epoch: int  #: trust.json's epoch is at least this
    least_targets: int  #: targets' version is at least this
    persons: Mapping[str, str]
    upstream: Mapping[
        str, str
    ]  #: pinned roots above this site (a ministry's): site → SHA-256 of its root.json


def parse(data: bytes, place: str) -> Metadata[Any]:
    """The metadata in ``data``, nothing verified. Raises ``bad-metadata``."""
    with framework_errors():
        try:
            return Metadata[Any].from_bytes(data)
        except BookbagError as error:
            raise BookbagError(error.code, error.message, place=place) from None


def extra(signed: Signed, place: str) -> Fields:
    """The fields of ours in signed metadata."""
    return Fields(signed.unrecognized_fields, place)


def check_site(signed: Signed, site: str, place: str) -> None:
    """Raises ``wrong-site`` unless ``site`` is what was signed."""
    found = signed.unrecognized_fields.get("site")
    if found != site:
        raise BookbagError(
            "wrong-site", f"cannot accept metadata: it is of site {found!r}, not {site}", place=place
        )


def signed_at(signed: Signed, place: str) -> int:
    """When it was signed, by the signer's clock (unix seconds)."""
    return extra(signed, place).integer("signed_at", 0, _MOST_TIME)


def epoch_of(signed: Signed, place: str) -> int:
    """The epoch that it was signed in."""
    return extra(signed, place).integer("epoch", 1, 1 << 31)


def root_fields(root: Signed, place: str = "root.json") -> RootFields:
    """Root's own fields of ours. Raises ``bad-metadata``."""
    fields = extra(root, place)
    persons = fields.inside("persons")
    upstream = fields.inside("upstream_roots") if fields.has("upstream_roots") else Fields({}, place)
    return RootFields(
        site=fields.name("site"),
        epoch=fields.integer("epoch", 1, 1 << 31),
        least_targets=fields.integer("minimum_targets", 1, 1 << 31),
        persons={keyid: persons.name(keyid) for keyid in persons},
        upstream={name: upstream.hex(name, 32).hex() for name in upstream},
    )


def raw_key(key: Key) -> PublicKey:
    """The raw key of a listed key. Raises ``bad-key`` for any kind but Ed25519."""
    if not isinstance(key, SSlibKey) or key.keytype != "ed25519" or key.scheme != "ed25519":
        raise BookbagError("bad-key", f"cannot use key {key.keyid[:16]}: this site's keys are Ed25519")
    public = key.keyval.get("public")
    return PublicKey.from_hex(public if isinstance(public, str) else "")


def tuf_key(key: PublicKey) -> SSlibKey:
    """``key`` as metadata lists it."""
    return SSlibKey(key.keyid, "ed25519", "ed25519", {"public": key.hex})


def signing_keys(
    metadata: Metadata[Any], role: Role | SuccinctRoles, keys: Mapping[str, Key]
) -> list[PublicKey]:
    """The raw keys listed for ``role`` that did sign ``metadata``, each once."""
    payload = metadata.signed_bytes
    found: dict[bytes, PublicKey] = {}
    for keyid in role.keyids:
        key, signature = keys.get(keyid), metadata.signatures.get(keyid)
        if key is None or signature is None:
            continue
        public = raw_key(key)
        try:
            made = bytes.fromhex(signature.signature)
        except ValueError:
            continue
        if public.raw not in found and public.verifies(made, payload):
            found[public.raw] = public
    return list(found.values())


def persons_of(
    metadata: Metadata[Any], role: Role | SuccinctRoles, keys: Mapping[str, Key], owners: Mapping[str, str]
) -> tuple[str, ...]:
    """The different persons who signed ``metadata`` as ``role``. ``owners``: raw key in hex → person."""
    return distinct(signing_keys(metadata, role, keys), owners)


def root_owners(root: Root) -> dict[str, str]:
    """Raw key in hex → person, from root's own persons map. Raises ``duplicate-person`` if a key has two
    owners."""
    owners: dict[str, str] = {}
    for keyid, person in root_fields(root).persons.items():
        if keyid not in root.keys:
            continue
        raw = raw_key(root.keys[keyid]).hex
        if owners.setdefault(raw, person) != person:
            raise BookbagError(
                "duplicate-person", f"cannot accept root: one key belongs to {owners[raw]} and {person}"
            )
    return owners


def check_persons(found: Iterable[str], needed: int, what: str) -> tuple[str, ...]:
    """``found``, if it is ``needed`` different persons. Raises ``under-signed``."""
    persons = tuple(sorted(set(found)))
    if len(persons) < needed:
        listed = ", ".join(persons) or "nobody that trust.json names"
        raise BookbagError(
            "under-signed",
            f"cannot accept {what}: it needs {needed} different persons, {listed} signed",
            place=what,
        )
    return persons


def delegations(targets: Targets, place: str) -> Delegations:
    """The delegations of ``targets``. Raises ``bad-metadata`` if there are none."""
    if targets.delegations is None:
        raise BookbagError("bad-metadata", "cannot accept metadata: it delegates nothing", place=place)
    return targets.delegations
