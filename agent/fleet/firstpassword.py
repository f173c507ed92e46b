"""First passwords: made here, printed once, and kept nowhere; what is kept and given is a hash, in the form
that crypt(5) calls `$7$`, which is scrypt.
"""

from __future__ import annotations

import hashlib
import secrets

#: Of what is read for another (0 o, 1 l, 2 z, 5 s, 6 b 8) at most one, and no vowels, so that it is no
#: word.
_LETTERS, _DIGITS = "bcdfghjkmnpqrstvwxyz", "3479"
_ALPHABET = _LETTERS + _DIGITS
_GROUPS, _LENGTH = 3, 4
_BASE64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SALT = 16
_LOG_N, _R, _P = 14, 8, 1  #: 16 MiB and some hundredths of a second


def make() -> str:
    """Three groups of four with hyphens between, a letter and a digit among them: three kinds of characters,
    as `accounts.password-quality: strong` asks. 54 bits."""
    while True:
        drawn = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(_GROUPS)]
        made = "-".join(drawn)
        if any(one in _LETTERS for one in made) and any(one in _DIGITS for one in made):
            return made


def hashed(password: str, salt: str = "") -> str:
    """Its hash, with a salt of its own."""
    salt = salt or "".join(secrets.choice(_BASE64) for _ in range(_SALT))
    key = hashlib.scrypt(
        password.encode(), salt=salt.encode(), n=1 << _LOG_N, r=_R, p=_P, dklen=32, maxmem=64 << 20
    )
    return f"$7${_BASE64[_LOG_N]}{_number(_R, 30)}{_number(_P, 30)}{salt}${_bytes(key)}"


def _number(value: int, bits: int) -> str:
    """Six bits a character, the low ones first."""
    return "".join(_BASE64[value >> at & 63] for at in range(0, bits, 6))


def _bytes(data: bytes) -> str:
    parts = (data[at : at + 3] for at in range(0, len(data), 3))
    return "".join(_number(int.from_bytes(one, "little"), 8 * len(one)) for one in parts)
