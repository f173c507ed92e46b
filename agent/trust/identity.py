"""Who a laptop is: a signing key, a seal key and the secret behind its offline unlock codes, made on the
laptop itself.

The device id is a hash of the public signing key, so a re-enrolled laptop is another device: what was
addressed to its former life does not reach it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.fields import Fields
from agent.trust.keys import PublicKey, SealKey, SealPublicKey, SigningKey

VERSION = 1


def device_id(sign_key: PublicKey) -> str:
    """32 hex characters: the start of SHA-256 of the raw public signing key."""
    return hashlib.sha256(sign_key.raw).hexdigest()[:32]


def mailbox_name(site: str, device: str) -> str:
    """The target under ``mail/`` that holds what is sealed to ``device``: 32 hex characters that name
    nobody."""
    return hashlib.sha256(b"bookbag mailbox 1\x00" + site.encode() + b"\x00" + device.encode()).hexdigest()[
        :32
    ]


def installation_id(site: str, device: str) -> str:
    """What ``device`` calls itself in telemetry: 32 hex characters that the desk alone can match with a
    laptop, and that nobody can match with its mailbox.
    """
    return hashlib.sha256(b"bookbag telemetry 1\x00" + site.encode() + b"\x00" + device.encode()).hexdigest()[
        :32
    ]


def serial_hash(site: str, serial: str) -> str:
    """How a machine's serial number is spoken of (64 hex): salted with the site, and never in clear beside
    it."""
    text = serial.strip()
    return hashlib.sha256(b"bookbag serial 1\x00" + site.encode() + b"\x00" + text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, repr=False)
class DeviceIdentity:
    """The laptop's private keys. Kept in a root-only file; only the escrow of ``unlock_key`` ever leaves,
    sealed."""

    sign_key: SigningKey
    seal_key: SealKey
    unlock_key: bytes  #: 32 bytes

    @classmethod
    def generate(cls) -> DeviceIdentity:
        """A new identity from fresh randomness."""
        return cls(SigningKey.generate(), SealKey.generate(), os.urandom(32))

    @property
    def id(self) -> str:
        """The device id."""
        return device_id(self.sign_key.public)

    @property
    def public(self) -> tuple[PublicKey, SealPublicKey]:
        """The public halves: signing key, seal key."""
        return self.sign_key.public, self.seal_key.public

    def mac(self, purpose: str, data: bytes) -> str:
        """64 hex characters by which this laptop, and nobody else, knows again what it wrote where others can
        write: HMAC-SHA256 under a key for each ``purpose``, drawn from the signing key, which never leaves.
        """
        key = hmac.digest(self.sign_key.to_raw(), b"bookbag own 1\x00" + purpose.encode(), "sha256")
        return hmac.digest(key, data, "sha256").hex()

    def to_bytes(self) -> bytes:
        """The file's bytes. Write them durably, mode 0600, before telling anyone about the public halves."""
        return jsontext.canonical(
            {
                "v": VERSION,
                "sign_key": self.sign_key.to_raw().hex(),
                "seal_key": self.seal_key.to_raw().hex(),
                "unlock_key": self.unlock_key.hex(),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, *, place: str = "") -> DeviceIdentity:
        """The inverse. Raises ``state-corrupt`` or ``format-too-new``."""
        try:
            top = Fields(jsontext.parse(data, what="device identity", max_bytes=4096), "device identity")
            top.version(VERSION)
            return cls(
                SigningKey.from_raw(top.hex("sign_key", 32)),
                SealKey.from_raw(top.hex("seal_key", 32)),
                top.hex("unlock_key", 32),
            )
        except BookbagError as error:
            if error.code == "format-too-new":
                raise
            raise BookbagError(
                "state-corrupt",
                "cannot read the device's keys: the file is damaged",
                place=place,
                remedy="enrol this laptop again",
            ) from None

    def __repr__(self) -> str:
        return f"DeviceIdentity({self.id})"
