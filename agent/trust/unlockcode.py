"""Opening a locked laptop by telephone: the screen shows a challenge, the desk answers, nothing else is
needed.

The challenge is 7 characters and a check; the answer 10 characters of HMAC-SHA-256 under the laptop's own
unlock key, which the desk has in escrow. Characters are Crockford's base32 (no I, L, O, U), so what is heard
or misread can be put right: case, spaces and hyphens do not matter, I and L are 1, O is 0.
"""

from __future__ import annotations

import hmac
import os

from agent.core.errors import BookbagError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHALLENGE = 7  #: characters, without the check
ANSWER = 10
_ALIKE = str.maketrans("ILO", "110", " -\t\u2010\u2011\u2013")
#: Odd, so that each changes the sum for every wrong character (modulo 32).
_WEIGHTS = (1, 3, 5, 7, 9, 11, 13)


def new_challenge() -> str:
    """Fresh random characters, without the check."""
    return "".join(ALPHABET[byte & 31] for byte in os.urandom(CHALLENGE))


def shown(challenge: str) -> str:
    """A challenge as people read it out: with its check, in two groups."""
    text = challenge + _check(challenge)
    return f"{text[:4]}-{text[4:]}"


def read_challenge(text: str) -> str:
    """What somebody typed who heard a challenge. Raises ``bad-argument`` for a wrong length, character or
    check."""
    plain = plain_text(text)
    if len(plain) != CHALLENGE + 1 or not set(plain) <= set(ALPHABET):
        raise BookbagError(
            "bad-argument",
            f"cannot answer {text!r}: a challenge has {CHALLENGE + 1} letters and digits",
            remedy="ask for it again, character by character",
        )
    if _check(plain[:CHALLENGE]) != plain[CHALLENGE]:
        raise BookbagError(
            "bad-argument",
            f"cannot answer {text!r}: one of its characters is wrong",
            remedy="ask for it again, character by character",
        )
    return plain[:CHALLENGE]


def answer(unlock_key: bytes, device: str, challenge: str) -> str:
    """The code that opens the laptop ``device`` while it shows ``challenge``."""
    said = b"bookbag unlock 1\x00" + device.encode() + b"\x00" + challenge.encode()
    digest = hmac.digest(unlock_key, said, "sha256")
    number = int.from_bytes(digest[:7], "big") >> 6  # 50 of 56 bits
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(ANSWER)))


def opens(unlock_key: bytes, device: str, challenge: str, text: str) -> bool:
    """Whether ``text`` is the answer. Takes as long for a wrong one."""
    expected = answer(unlock_key, device, challenge)
    return hmac.compare_digest(expected.encode(), plain_text(text).encode("utf-8", "replace"))


def plain_text(text: str) -> str:
    """Without what does not matter."""
    return text.upper().translate(_ALIKE)


def _check(challenge: str) -> str:
    total = sum(weight * ALPHABET.index(char) for weight, char in zip(_WEIGHTS, challenge, strict=True))
    return ALPHABET[total & 31]
