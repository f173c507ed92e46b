"""Receipts: what came of an order, signed by the laptop, each chained to the one before, sealed to the desk,
and signed once more around the box (`agent.trust.returned`).

A receipt is a DSSE envelope by the laptop's signing key. ``n`` counts from 1 in one life of a device and
``prev`` is SHA-256 (hex) of the payload before (64 zeros before the first), so that the desk notices one that
is missing and a laptop that was set back. ``final`` says that nothing more will come about this order; there
is one such receipt per order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.core import jsontext, returns
from agent.core.errors import BookbagError
from agent.trust import dsse, returned
from agent.trust.fields import Fields
from agent.trust.identity import DeviceIdentity, device_id, mailbox_name
from agent.trust.keys import PublicKey, SealKey, SealPublicKey
from agent.trust.sealing import seal, unseal

VERSION = 1
GENESIS = "0" * 64
#: What an order can be, as far as the desk is told.
STATES = (
    "refused",
    "armed",
    "started",
    "done",
    "failed",
    "unconfirmed",
    "too-late",
    "conflict",
    "cancelled",
)
_MOST_EVIDENCE = 16 << 10
_MOST_TIME = 1 << 40


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one order. Times are unix seconds of the laptop's trusted clock."""

    site: str
    device: str
    n: int
    prev: str
    order: str  #: id of the order
    digest: str  #: SHA-256 of its payload
    kind: str
    state: str  #: one of `STATES`
    final: bool
    at: int
    quality: str  #: ``good`` or ``suspect``
    boot: str  #: of which boot, so that restarts show
    code: str = ""
    message: str = ""
    log_n: int = 0  #: how long the public log of orders was that this laptop saw
    log_hash: str = ""  #: and its newest hash: two laptops that were shown different logs differ here
    evidence: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def to_bytes(self) -> bytes:
        """The payload that is signed. Raises ``too-large``."""
        data = jsontext.canonical(
            {
                "v": VERSION,
                **{name: getattr(self, name) for name in self.__dataclass_fields__ if name != "evidence"},
                "evidence": dict(self.evidence),
            }
        )
        if len(data) > _MOST_EVIDENCE * 2:
            raise BookbagError("too-large", f"cannot write a receipt of {len(data)} bytes")
        return data

    @property
    def hash(self) -> str:
        """What the next receipt names as ``prev``."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def return_name(site: str, device: str, n: int) -> str:
    """What the ``n``-th receipt goes by under ``returns/``: the host knows that name's mailbox already."""
    return f"{returns.RECEIPT}{mailbox_name(site, device)}-{n}"


def sign(receipt: Receipt, identity: DeviceIdentity) -> bytes:
    """The receipt as an envelope of the laptop's."""
    return dsse.sign(receipt.to_bytes(), dsse.RECEIPT_TYPE, [identity.sign_key])


def make_return(envelope: bytes, name: str, identity: DeviceIdentity, returns_key: SealPublicKey) -> bytes:
    """A signed receipt as it leaves the laptop: sealed to the desk, and the box signed again for whoever
    carries it."""
    return returned.wrap(seal(envelope, returns_key, purpose="return"), name, identity.sign_key)


def open_return(data: bytes, name: str, sign_key: PublicKey, returns_key: SealKey) -> bytes:
    """The signed envelope in what the laptop with ``sign_key`` returned under ``name``. Raises
    ``bad-envelope``, ``bad-signature``."""
    return unseal(returned.unwrap(data, name, sign_key), returns_key, purpose="return")


def verify(envelope: bytes, sign_key: PublicKey) -> Receipt:
    """The receipt in an envelope that the laptop with ``sign_key`` signed. Raises ``bad-envelope``,
    ``bad-signature``, ``wrong-device``."""
    parsed = dsse.parse(envelope)
    if parsed.payload_type != dsse.RECEIPT_TYPE:
        raise BookbagError(
            "bad-envelope", f"cannot take this for a receipt: it is {parsed.payload_type[:60]!r}"
        )
    if not parsed.signers([sign_key]):
        raise BookbagError("bad-signature", "cannot believe this receipt: the laptop did not sign it")
    receipt = _from_bytes(parsed.payload)
    if receipt.device != device_id(sign_key):
        raise BookbagError(
            "wrong-device", f"cannot believe this receipt: it speaks of device {receipt.device}"
        )
    return receipt


def check_chain(receipts: list[Receipt]) -> str:
    """Where receipts of one device, ordered by ``n``, stop being one chain; "" if they are."""
    before: Receipt | None = None
    for one in receipts:
        if before is None:
            if one.n != 1 or one.prev != GENESIS:
                return f"receipt {one.n}: those before it are missing"
        elif one.n <= before.n:
            return f"receipt {one.n} is there twice"
        elif one.n > before.n + 1:
            return f"receipt {before.n + 1} is missing"
        elif one.prev != before.hash:
            return f"receipt {one.n} does not follow from {before.n}: the laptop was set back or has a double"
        before = one
    return ""


def _from_bytes(data: bytes) -> Receipt:
    value = jsontext.parse(data, what="receipt", max_bytes=dsse.MOST_BYTES)
    top = Fields(value, "receipt", code="bad-envelope")
    top.version(VERSION)
    evidence = value.get("evidence") if isinstance(value, dict) else None
    return Receipt(
        site=top.name("site"),
        device=top.id("device"),
        n=top.integer("n", 1, 1 << 40),
        prev=top.hex("prev", 32).hex(),
        order=top.id("order"),
        digest=top.hex("digest", 32).hex(),
        kind=top.name("kind"),
        state=top.choice("state", STATES),
        final=top.boolean("final", False),
        at=top.integer("at", 0, _MOST_TIME),
        quality=top.choice("quality", ("good", "suspect")),
        boot=top.text("boot", 64),
        code=top.text("code", 40, ""),
        message=top.text("message", 2000, ""),
        log_n=top.integer("log_n", 0, 1 << 31, 0),
        log_hash=top.text("log_hash", 64, ""),
        evidence=MappingProxyType(dict(evidence) if isinstance(evidence, dict) else {}),
    )
