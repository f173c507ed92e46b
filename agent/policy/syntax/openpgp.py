"""Public OpenPGP keys as policies carry them: one armored block, looked at packet by packet, so that nothing
but keys gets to whoever believes them, and people can be told which.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agent.policy.syntax.nodes import Node
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Text, wrong

_TEXT: Final = Text(most=48 << 10, lines=True, what="public OpenPGP keys as one armored block")
_BEGIN, _END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
_BLOCK: Final = re.compile(
    rf"{_BEGIN}\n(?:[A-Za-z]+: [ -~]{{0,200}}\n)*[ \t]*\n"
    rf"((?:[A-Za-z0-9+/]{{1,76}}={{0,2}}\n)+)(?:=([A-Za-z0-9+/]{{4}})\n)?{_END}\n*"
)
#: Packets by their numbers (RFC 9580, 5).
_SIGNATURE, _SECRET, _KEY, _SECRET_SUBKEY, _TRUST, _USER, _SUBKEY, _ATTRIBUTE = 2, 5, 6, 7, 12, 13, 14, 17
_KNOWN: Final = frozenset((_SIGNATURE, _KEY, _TRUST, _USER, _SUBKEY, _ATTRIBUTE))
_RSA: Final = frozenset((1, 3))
#: What apt believes signatures of: RSA, ECDSA, and both spellings of Ed25519.
_ALGORITHMS: Final = _RSA | {19, 22, 27}
_LEAST_BITS = 2048  #: of RSA
_MOST_KEYS, _MOST_PACKETS = 10, 1000


@dataclass(frozen=True, slots=True)
class Keys:
    """What a block holds: one fingerprint for each key, and all of it with nothing beside."""

    fingerprints: tuple[str, ...]
    armored: str


class PublicKeys:
    """One block of public keys; what stood around them (comments, versions) is left out."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        text = _TEXT.read(node, problems)
        if not isinstance(text, str):
            return text
        try:
            return public_keys(text).armored
        except SecretKey:
            problems.add(  # without quoting any of it
                "bad-policy",
                "cannot use this text: it holds a private key",
                place=node.place,
                remedy="make a new key; this one is known by now",
            )
            return BAD
        except ValueError as error:
            return wrong(self, node, problems, why=str(error))

    def describe(self) -> str:
        """See `Type`."""
        return _TEXT.describe()

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {**_TEXT.schema(), "pattern": f"^{_BEGIN}\\n[ -~\\t\\n]+\\n{_END}\\n*$"}


class SecretKey(ValueError):
    """A key that nobody but its owner may have."""


def public_keys(text: str) -> Keys:
    """The keys in a block. Raises ValueError, with why, if it is none or holds anything else."""
    if "PRIVATE KEY" in text:
        raise SecretKey
    found = _BLOCK.fullmatch(text)
    if not found:
        raise ValueError("it is not one armored block and nothing else")
    try:
        data = base64.b64decode(found[1].replace("\n", ""), validate=True)
    except binascii.Error as error:
        raise ValueError("what it holds is damaged") from error
    if found[2] and base64.b64decode(found[2]) != _checksum(data):
        raise ValueError("what it holds is damaged: its checksum does not fit")
    return Keys(_fingerprints(data), _armored(data))


def public_keys_of(data: bytes) -> Keys:
    """The same of keys as programs keep them. Raises ValueError."""
    return Keys(_fingerprints(data), _armored(data))


def spelled(fingerprint: str) -> str:
    """A fingerprint as people compare it, in groups of four."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def _fingerprints(data: bytes) -> tuple[str, ...]:
    """One for each key. Every key has somebody's name and a signature."""
    found: list[str] = []
    owed: set[int] = set()
    for tag, body in _packets(data):
        if tag in (_SECRET, _SECRET_SUBKEY):
            raise SecretKey
        if tag not in _KNOWN:
            raise ValueError("it holds something that is no key")
        if tag == _KEY and not owed:
            found.append(_fingerprint(body))
            owed = {_USER, _SIGNATURE}
        elif tag == _KEY or not found:
            raise ValueError("a key in it has no name, or no signature")
        elif tag == _SUBKEY:
            _fingerprint(body)
        owed.discard(tag)
    if owed or not found:
        raise ValueError("a key in it has no name, or no signature")
    if len(found) > _MOST_KEYS or len(set(found)) < len(found):
        raise ValueError(f"it holds a key twice, or more than {_MOST_KEYS}")
    return tuple(found)


def _fingerprint(body: bytes) -> str:
    """Of a key of version 4, whose length goes before it into the hash."""
    if len(body) < 10 or body[0] != 4:
        raise ValueError("a key in it is of a version that apt does not know")
    bits = int.from_bytes(body[6:8])
    if body[5] in _RSA and bits < _LEAST_BITS:
        raise ValueError(f"a key in it is too weak: RSA of {bits} bits")
    if body[5] not in _ALGORITHMS | {16, 18, 25}:  # what only encrypts signs nothing
        raise ValueError("a key in it is of a kind that apt does not believe")
    framed = b"\x99" + len(body).to_bytes(2) + body
    return hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper()


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, body), whole ones only."""
    at = 0
    for _ in range(_MOST_PACKETS):
        if at == len(data):
            return
        tag, begin, length = _header(data[at : at + 6])
        body = data[at + begin : at + begin + length]
        if len(body) != length:
            break
        yield tag, body
        at += begin + length
    raise ValueError("what it holds is damaged")


def _header(head: bytes) -> tuple[int, int, int]:
    """(tag, how long the header is, how long the body)."""
    first, rest = head[0], head[1:].ljust(5, b"\0")
    if first & 0xC0 == 0xC0:
        if rest[0] < 192:
            return first & 0x3F, 2, rest[0]
        if rest[0] < 224:
            return first & 0x3F, 3, ((rest[0] - 192) << 8) + rest[1] + 192
        if rest[0] == 255:
            return first & 0x3F, 6, int.from_bytes(rest[1:5])
    elif first & 0x80 and first & 3 != 3:
        size = (1, 2, 4)[first & 3]
        return (first >> 2) & 0xF, 1 + size, int.from_bytes(rest[:size])
    raise ValueError("what it holds is damaged")  # of a length that is not told at once, too


def _armored(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    check = base64.b64encode(_checksum(data)).decode()
    return "\n".join((_BEGIN, "", *lines, f"={check}", _END, ""))


def _checksum(data: bytes) -> bytes:
    """The CRC-24 of RFC 9580, 6.1.1."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
    return (crc & 0xFFFFFF).to_bytes(3)
