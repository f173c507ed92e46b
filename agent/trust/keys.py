"""Ed25519 keys that sign and X25519 keys that are sealed to: raw 32-byte public halves, encrypted PEM
private halves.

Cryptography is loaded when a key is used: who only knows which keys there are, as an audit does after each
event, does without its 40 ms.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.core.errors import BookbagError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_PEM_MOST = 8192
_PRIME = 2**255 - 19
#: y coordinates of the eight points of small order: a "key" that is one of them accepts made-up signatures.
_SMALL_ORDER = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)


def _bad(why: str, place: str = "") -> BookbagError:
    return BookbagError("bad-key", f"cannot use key: {why}", place=place)


def _from_hex(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 32 or raw.hex() != text:
        raise _bad("a public key is 64 lower-case hex characters")
    return raw


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a signing key, known by its raw bytes. Raises ``bad-key`` for what can be no
    honest key."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise _bad("a public key is 32 bytes")
        y = int.from_bytes(self.raw, "little") & ((1 << 255) - 1)
        if y >= _PRIME or y in _SMALL_ORDER:
            raise _bad("its public half is a degenerate point")

    @classmethod
    def from_hex(cls, text: str) -> PublicKey:
        """From 64 lower-case hex characters. Raises ``bad-key``."""
        return cls(_from_hex(text))

    @property
    def hex(self) -> str:
        """64 lower-case hex characters."""
        return self.raw.hex()

    @property
    def keyid(self) -> str:
        """The id that signed metadata lists this key under: the hash of its canonical JSON form."""
        form = f'{{"keytype":"ed25519","keyval":{{"public":"{self.hex}"}},"scheme":"ed25519"}}'
        return hashlib.sha256(form.encode()).hexdigest()

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` over ``data`` was made by this key's private half."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SealPublicKey:
    """The public half of a key that things are sealed to."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != 32:
            raise _bad("a public key is 32 bytes")

    @classmethod
    def from_hex(cls, text: str) -> SealPublicKey:
        """From 64 lower-case hex characters. Raises ``bad-key``."""
        return cls(_from_hex(text))

    @property
    def hex(self) -> str:
        """64 lower-case hex characters."""
        return self.raw.hex()


def _load(pem: bytes, passphrase: bytes | None, place: str) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if len(pem) > _PEM_MOST:
        raise _bad(f"it is larger than {_PEM_MOST} bytes", place)
    try:
        return load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _bad(f"it is no PEM private key, or the passphrase is wrong ({error})", place) from None


def _dump(key: Ed25519PrivateKey | X25519PrivateKey, passphrase: bytes | None) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    lock: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


class SigningKey:
    """A private Ed25519 key. Never printed, never compared, never pickled."""

    __slots__ = ("_key",)

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> SigningKey:
        """A fresh random key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_raw(cls, seed: bytes) -> SigningKey:
        """From its 32 private bytes. Raises ``bad-key``."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if len(seed) != 32:
            raise _bad("a private key is 32 bytes")
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load_pem(cls, pem: bytes, passphrase: bytes | None = None, *, place: str = "") -> SigningKey:
        """From a PKCS#8 PEM file's bytes. Raises ``bad-key`` (malformed, other kind, wrong passphrase)."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        key = _load(pem, passphrase, place)
        if not isinstance(key, Ed25519PrivateKey):
            raise _bad("it is of another kind", place)
        return cls(key)

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """PKCS#8 PEM, encrypted if a passphrase is given."""
        return _dump(self._key, passphrase)

    def to_raw(self) -> bytes:
        """The 32 private bytes."""
        return self._key.private_bytes_raw()

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """64 bytes of signature over ``data``."""
        return self._key.sign(data)


class SealKey:
    """A private X25519 key: opens what was sealed to its public half."""

    __slots__ = ("_key",)

    def __init__(self, key: X25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def generate(cls) -> SealKey:
        """A fresh random key."""
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        return cls(X25519PrivateKey.generate())

    @classmethod
    def from_raw(cls, raw: bytes) -> SealKey:
        """From its 32 private bytes. Raises ``bad-key``."""
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        if len(raw) != 32:
            raise _bad("a private key is 32 bytes")
        return cls(X25519PrivateKey.from_private_bytes(raw))

    @classmethod
    def load_pem(cls, pem: bytes, passphrase: bytes | None = None, *, place: str = "") -> SealKey:
        """From a PKCS#8 PEM file's bytes. Raises ``bad-key`` (malformed, other kind, wrong passphrase)."""
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        key = _load(pem, passphrase, place)
        if not isinstance(key, X25519PrivateKey):
            raise _bad("it is of another kind", place)
        return cls(key)

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """PKCS#8 PEM, encrypted if a passphrase is given."""
        return _dump(self._key, passphrase)

    def to_raw(self) -> bytes:
        """The 32 private bytes."""
        return self._key.private_bytes_raw()

    @property
    def public(self) -> SealPublicKey:
        """Its public half."""
        return SealPublicKey(self._key.public_key().public_bytes_raw())

    def crypto_key(self) -> X25519PrivateKey:
        """For `agent.trust.sealing`."""
        return self._key


def public_x25519(key: SealPublicKey) -> X25519PublicKey:
    """For `agent.trust.sealing`."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    return X25519PublicKey.from_public_bytes(key.raw)
