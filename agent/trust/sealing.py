"""Sealed boxes: bytes that only one key opens, padded so that their size says nothing (I-6).

RFC 9180 HPKE, base mode, X25519 / HKDF-SHA256 / ChaCha20-Poly1305. ``purpose`` is bound in: what was sealed
as mail does not open as an escrow. A box is ``BBS1`` ‖ HPKE output; the plaintext is length ‖ data ‖ zeros,
so that the whole box is a multiple of 4 KiB (of a sealed order: of `ORDER_BLOCK`). Sealing says nothing about
the sender: signatures inside do.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from agent.core.errors import BookbagError
from agent.trust.keys import SealKey, SealPublicKey, public_x25519

MAGIC = b"BBS1"
BLOCK = 4096
#: What an order takes that lies sealed in a mailbox, and in IT's folder.
ORDER_BLOCK = 3072
MOST = 512 << 10  #: bytes of a whole box
_OVERHEAD = len(MAGIC) + 32 + 16
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def _info(purpose: str) -> bytes:
    return b"bookbag sealed box 1\x00" + purpose.encode()


def seal(
    data: bytes,
    to: SealPublicKey,
    *,
    purpose: str = "mail",
    room: int = 0,
    block: int = BLOCK,
    least: int = 0,
) -> bytes:
    """``data`` sealed to ``to``, in a multiple of ``block`` bytes, as large as with ``room`` bytes more, and
    ``least`` bytes (a multiple of ``block``) at least. Raises ``too-large`` if the box would exceed 512 KiB,
    ``bad-key`` for a degenerate key."""
    whole = max(least, -(-(len(data) + room + 4 + _OVERHEAD) // block) * block)
    if whole > MOST:
        raise BookbagError("too-large", f"cannot seal {len(data)} bytes: a box holds at most {MOST}")
    plain = len(data).to_bytes(4, "big") + data
    plain += bytes(whole - _OVERHEAD - len(plain))
    try:
        return MAGIC + _SUITE.encrypt(plain, public_x25519(to), _info(purpose))
    except ValueError as error:
        raise BookbagError("bad-key", f"cannot seal: {error}") from None


def unseal(data: bytes, key: SealKey, *, purpose: str = "mail", block: int = BLOCK) -> bytes:
    """What was sealed to ``key`` for ``purpose``. Raises ``bad-envelope``: malformed, altered, or for
    another key."""
    if len(data) % block or not block <= len(data) <= MOST:
        raise BookbagError(
            "bad-envelope", f"cannot open sealed box: {len(data)} bytes is no size it can have"
        )
    if not data.startswith(MAGIC):
        raise BookbagError("bad-envelope", "cannot open sealed box: it does not begin as one")
    try:
        plain = _SUITE.decrypt(data[len(MAGIC) :], key.crypto_key(), _info(purpose))
    except (InvalidTag, ValueError):
        raise BookbagError(
            "bad-envelope", "cannot open sealed box: altered, or sealed to another key"
        ) from None
    size = int.from_bytes(plain[:4], "big")
    if size > len(plain) - 4 or any(plain[4 + size :]):
        raise BookbagError("bad-envelope", "cannot open sealed box: its padding is wrong")
    return plain[4 : 4 + size]
