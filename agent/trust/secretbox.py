"""Named secrets on their way to one laptop, sealed at the desk when the order is signed: whoever reads the
folder, its history or the signed order learns their names and no more.

No error of this module tells what a value is: errors go into receipts, ledger and log.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.ids import is_name
from agent.trust.keys import SealKey, SealPublicKey
from agent.trust.sealing import seal, unseal

VERSION = 1
MOST = 32  #: secrets of one laptop
MOST_VALUE = 256  #: bytes of one
MOST_BOX = 24 << 10
PURPOSE = "secrets"
BLOCK = 2048  #: a box has a multiple of it: base64 in an order in a mailbox, it takes three times as much


def check_value(value: object) -> str:
    """``value`` if it can be a secret: one line, as files of configuration and people can hold it. Raises
    ``bad-argument``."""
    if not isinstance(value, str) or not value or not value.isprintable() or value != value.strip():
        why = "it must be one line without control characters, and no space at either end"
    elif len(value.encode("utf-8", "surrogatepass")) > MOST_VALUE:
        why = f"it has more than {MOST_VALUE} bytes"
    else:
        return value
    raise BookbagError("bad-argument", f"cannot use this as a secret: {why}")


def seal_values(values: Mapping[str, str], site: str, device: str, to: SealPublicKey) -> bytes:
    """The box that one laptop opens. Raises ``bad-argument`` for what cannot be a secret, or too many."""
    _check(values)
    record = {"v": VERSION, "site": site, "device": device, "values": dict(values)}
    return seal(jsontext.canonical(record), to, purpose=PURPOSE, block=BLOCK)


def open_values(
    box: bytes, names: tuple[str, ...], site: str, device: str, key: SealKey
) -> Mapping[str, str]:
    """What is in a box, if that is exactly ``names``: what was signed is what comes. Raises
    ``bad-envelope``."""
    plain = unseal(box, key, purpose=PURPOSE, block=BLOCK)
    try:
        value = jsontext.parse(plain, what="secrets", max_bytes=MOST_BOX, max_depth=3, max_nodes=4 * MOST + 8)
    except BookbagError:
        raise _bad("it holds no secrets") from None
    if not isinstance(value, dict) or type(value.get("v")) is not int:
        raise _bad("it holds no secrets")
    if value["v"] > VERSION:
        raise BookbagError("format-too-new", "cannot read these secrets", remedy="update Bookbag")
    if (value.get("site"), value.get("device")) != (site, device):
        raise _bad("it was made for another laptop")
    values = value.get("values")
    if not isinstance(values, dict) or sorted(values) != sorted(names):
        raise _bad("it holds others than the signed order names")
    try:
        _check(values)
    except BookbagError:
        raise _bad("one of them cannot be a secret") from None
    return MappingProxyType(values)


def _check(values: Mapping[str, str]) -> None:
    if len(values) > MOST:
        raise BookbagError("bad-argument", f"cannot give a laptop more than {MOST} secrets")
    for name, value in values.items():
        if not is_name(name):
            raise BookbagError("bad-argument", f"cannot call a secret {str(name)[:40]!r}")
        check_value(value)


def _bad(why: str) -> BookbagError:
    return BookbagError("bad-envelope", f"cannot take the secrets: {why}")
