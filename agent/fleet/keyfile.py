"""A person's private keys in one file that may lie in git: encrypted with a passphrase, slow to guess.

JSON: ``{v, kind, id, kdf: "scrypt", log2-n, salt, nonce, box}``. The box is ChaCha20-Poly1305 over the raw
Ed25519 and
X25519 private keys; everything else in the file is bound in as associated data. scrypt with N = 2^17 needs
128 MiB and about
a third of a second per guess; PKCS#8's PBKDF2 as our library writes it would be thousands of times cheaper
to guess.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.trust.keys import SealKey, SigningKey

KIND = "bookbag-person-keys"
LOG2_N = 17
_LOG2_N_MOST = 20  # a file asking for more is a trap, not a key
PAPER = b"bookbag paper key 1\x00"
SHORTEST = 8  #: characters of a passphrase


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """The private halves of one person's two keys. Keep it short-lived."""

    id: str
    sign: SigningKey
    seal: SealKey

    @classmethod
    def generate(cls, person: str) -> PersonKeys:
        """Fresh random keys for ``person``."""
        return cls(person, SigningKey.generate(), SealKey.generate())


def _stretch(passphrase: bytes, salt: bytes, log2_n: int) -> bytes:
    n = 1 << log2_n
    return hashlib.scrypt(passphrase, salt=salt, n=n, r=8, p=1, maxmem=n * 8 * 128 + (32 << 20), dklen=32)


def _bound(person: str, log2_n: int, salt: bytes) -> bytes:
    return jsontext.canonical({"id": person, "kind": KIND, "log2-n": log2_n, "salt": salt.hex(), "v": 1})


def lock(keys: PersonKeys, passphrase: bytes) -> bytes:
    """The bytes of the key file. Raises ``bad-key`` if the passphrase is too short to be one."""
    if len(passphrase.decode("utf-8", "replace")) < SHORTEST:
        raise BookbagError(
            "bad-key",
            f"cannot protect the key of {keys.id}: the passphrase is shorter than {SHORTEST} characters",
            remedy="take four or more random words",
        )
    salt, nonce = os.urandom(16), os.urandom(12)
    plain = keys.sign.to_raw() + keys.seal.to_raw()
    box = ChaCha20Poly1305(_stretch(passphrase, salt, LOG2_N)).encrypt(
        nonce, plain, _bound(keys.id, LOG2_N, salt)
    )
    value = {
        "v": 1,
        "kind": KIND,
        "id": keys.id,
        "kdf": "scrypt",
        "log2-n": LOG2_N,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "box": base64.b64encode(box).decode("ascii"),
    }
    return (jsontext.pretty(value).rstrip("\n") + "\n").encode("utf-8")


def unlock(data: bytes, passphrase: bytes, *, place: str) -> PersonKeys:
    """The keys in a key file. Raises ``bad-key`` (malformed, wrong passphrase), ``bad-json``,
    ``format-too-new``."""
    value = jsontext.parse(data, what=place, max_bytes=4096)
    if not isinstance(value, dict) or value.get("kind") != KIND:
        raise BookbagError("bad-key", "cannot use key file: it is not a person's key file", place=place)
    if value.get("v") != 1:
        raise BookbagError("format-too-new", f"cannot read key file of version {value.get('v')}", place=place)
    log2_n = value.get("log2-n")
    if not isinstance(log2_n, int) or not 10 <= log2_n <= _LOG2_N_MOST:
        raise BookbagError("bad-key", "cannot use key file: its log2-n is out of bounds", place=place)
    person = str(value.get("id"))
    try:
        salt, nonce = bytes.fromhex(value["salt"]), bytes.fromhex(value["nonce"])
        box = base64.b64decode(value["box"], validate=True)
        plain = ChaCha20Poly1305(_stretch(passphrase, salt, log2_n)).decrypt(
            nonce, box, _bound(person, log2_n, salt)
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BookbagError("bad-key", f"cannot use key file: {error}", place=place) from None
    except InvalidTag:
        raise BookbagError(
            "bad-key",
            f"cannot open the key of {person}: the passphrase is wrong, or the file was altered",
            place=place,
            remedy="check the passphrase; an altered file can be taken from git's history",
        ) from None
    if len(plain) != 64:
        raise BookbagError("bad-key", "cannot use key file: wrong length", place=place)
    return PersonKeys(person, SigningKey.from_raw(plain[:32]), SealKey.from_raw(plain[32:]))


# -- on paper


def to_paper(keys: PersonKeys) -> str:
    """The private keys as base32 in groups, with a checksum, to be typed in again one day. Not encrypted:
    paper is."""
    raw = keys.sign.to_raw() + keys.seal.to_raw()
    check = hashlib.sha256(PAPER + keys.id.encode() + raw).digest()[:6]
    text = base64.b32encode(raw + check).decode("ascii")
    groups = [text[at : at + 4] for at in range(0, len(text), 4)]
    return "\n".join(" ".join(groups[at : at + 4]) for at in range(0, len(groups), 4))


def from_paper(text: str, person: str, *, place: str) -> PersonKeys:
    """The inverse; lines with ``#`` or ``:`` are for people. Raises ``bad-key`` (mistyped, or another
    person's)."""
    lines = [line for line in text.splitlines() if "#" not in line and ":" not in line]
    typed = "".join("".join(lines).split()).upper().replace("0", "O").replace("1", "I").replace("8", "B")
    try:
        data = base64.b32decode(typed)
    except ValueError:
        data = b""
    raw, check = data[:64], data[64:]
    if len(data) != 70 or check != hashlib.sha256(PAPER + person.encode() + raw).digest()[:6]:
        raise BookbagError(
            "bad-key",
            f"cannot use this paper key of {person}: a character is wrong, or it is somebody else's",
            place=place,
            remedy="compare each group of four with the paper",
        )
    return PersonKeys(person, SigningKey.from_raw(raw[:32]), SealKey.from_raw(raw[32:]))
