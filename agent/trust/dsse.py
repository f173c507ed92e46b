"""DSSE envelopes: a payload and the signatures of persons over exactly those bytes.

The key id in a signature is a hint of ours (the raw public key in hex). What counts is which listed key
verifies; the same key twice is one key, two keys of one person are one person.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.fields import Fields
from agent.trust.keys import PublicKey, SigningKey
from agent.trust.persons import distinct

MOST_BYTES = 64 << 10  #: of a whole envelope
MOST_SIGNATURES = 16
ORDER_TYPE = "application/vnd.bookbag.order+json"
ENROL_TYPE = "application/vnd.bookbag.enrol+json"
RECEIPT_TYPE = "application/vnd.bookbag.receipt+json"
ASK_TYPE = "application/vnd.bookbag.ask+json"
LOOK_TYPE = "application/vnd.bookbag.look+json"
RETURN_TYPE = "application/vnd.bookbag.return"


class Signer(Protocol):
    """Somebody with keys, counted once however many of these signed."""

    @property
    def id(self) -> str:
        """Who it is."""
        ...

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """Theirs."""
        ...


@dataclass(frozen=True, slots=True)
class Signed:
    """A payload whose signatures held, and the different persons who made them, sorted."""

    payload: bytes
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A parsed envelope; nothing in it is verified."""

    payload_type: str
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]  #: key id (a hint), signature

    @property
    def named(self) -> frozenset[str]:
        """Whose signatures it says it has: keys in hex, which prove nothing."""
        return frozenset(hint for hint, _ in self.signatures)

    def signers(self, candidates: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
        """Those candidates that did sign, each raw key once."""
        data = pae(self.payload_type, self.payload)
        found: dict[bytes, PublicKey] = {}
        for key in candidates:
            if key.raw not in found and any(
                hint in ("", key.hex) and key.verifies(signature, data) for hint, signature in self.signatures
            ):
                found[key.raw] = key
        return tuple(found.values())


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def sign(payload: bytes, payload_type: str, keys: Sequence[SigningKey]) -> bytes:
    """An envelope over ``payload``, signed by each of ``keys``. Raises ``too-large``."""
    envelope = _dump(Envelope(payload_type, payload, ()))
    for key in keys:
        envelope = add_signature(envelope, key)
    return envelope


def add_signature(data: bytes, key: SigningKey) -> bytes:
    """The same envelope with one more signature (of a key that signed already: unchanged). Raises
    ``bad-envelope``."""
    envelope = parse(data)
    if key.public in envelope.signers([key.public]):
        return data
    made = (key.public.hex, key.sign(pae(envelope.payload_type, envelope.payload)))
    others = tuple(one for one in envelope.signatures if one[0] != key.public.hex)
    return _dump(Envelope(envelope.payload_type, envelope.payload, (*others, made)))


def open_envelope(data: bytes, persons: Iterable[Signer], needed: int, payload_type: str) -> Signed:
    """The payload, if at least ``needed`` different ones of ``persons`` signed it.

    Raises ``bad-envelope`` (malformed, other type, too large), ``bad-signature`` (nobody entitled signed),
    ``under-signed`` (fewer different persons than needed).
    """
    envelope = parse(data)
    if envelope.payload_type != payload_type:
        raise _bad(f"its type is {envelope.payload_type[:60]!r}, not {payload_type}")
    return count(envelope, tuple(persons), needed)


def count(envelope: Envelope, persons: Sequence[Signer], needed: int) -> Signed:
    """As open_envelope, for a parsed envelope."""
    owners: dict[str, str] = {}
    for person in persons:
        for key in person.keys:
            if owners.setdefault(key.hex, person.id) != person.id:
                raise BookbagError("duplicate-person", "cannot count persons: one key belongs to two of them")
    signers = envelope.signers(key for person in persons for key in person.keys)
    different = distinct(signers, owners)
    if not different:
        raise BookbagError("bad-signature", "cannot accept envelope: nobody entitled to this signed it")
    if len(different) < max(1, needed):
        raise BookbagError(
            "under-signed",
            f"cannot accept envelope: it needs {needed} different persons, {', '.join(different)} signed",
        )
    return Signed(envelope.payload, different)


def parse(data: bytes) -> Envelope:
    """The parts of an envelope. Raises ``bad-envelope``."""
    if len(data) > MOST_BYTES:
        raise _bad(f"it is larger than {MOST_BYTES} bytes")
    try:
        value = jsontext.parse(data, what="envelope", max_bytes=MOST_BYTES, max_depth=6, max_nodes=200)
    except BookbagError as error:
        raise _bad(error.message) from None
    top = Fields(value, "envelope", code="bad-envelope")
    signatures = tuple(
        (one.text("keyid", 128, ""), one.base64("sig", 64))
        for one in top.objects("signatures", MOST_SIGNATURES)
    )
    return Envelope(top.text("payloadType", 128), top.base64("payload", MOST_BYTES), signatures)


def _dump(envelope: Envelope) -> bytes:
    value = {
        "payloadType": envelope.payload_type,
        "payload": base64.b64encode(envelope.payload).decode(),
        "signatures": [
            {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
            for keyid, signature in envelope.signatures
        ],
    }
    data = jsontext.canonical(value)
    if len(data) > MOST_BYTES:
        raise BookbagError("too-large", f"cannot sign: an envelope holds at most {MOST_BYTES} bytes")
    return data


def _bad(why: str) -> BookbagError:
    return BookbagError("bad-envelope", f"cannot accept envelope: {why}")


def decode_base64(text: str) -> bytes:
    """Strict standard base64. Raises ``bad-envelope``."""
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise _bad("it is not base64") from None
