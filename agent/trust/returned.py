"""What a laptop returns, as those see it who carry it and cannot open it: a sealed box, and around it the
laptop's signature over box and name.

Names of mailboxes are public, so without this anyone could take the place of a receipt that is still to come,
or fill the desk's room with boxes that nobody can tell from true ones.
"""

from __future__ import annotations

from agent.core.errors import BookbagError
from agent.trust import dsse
from agent.trust.keys import PublicKey, SigningKey

MAGIC = b"BBR1"
MOST = 72 << 10  #: bytes of one: the box of the longest envelope, and the signature
_HEAD = len(MAGIC) + 64


def wrap(box: bytes, name: str, key: SigningKey) -> bytes:
    """``box`` as it leaves the laptop under ``name``."""
    return MAGIC + key.sign(_signed(box, name)) + box


def unwrap(data: bytes, name: str, key: PublicKey) -> bytes:
    """The box in ``data``, if the laptop with ``key`` sent it under this name. Raises ``bad-envelope``,
    ``bad-signature``."""
    if not data.startswith(MAGIC) or not _HEAD < len(data) <= MOST:
        raise BookbagError("bad-envelope", "cannot take this for a laptop's: it has not the form", place=name)
    box = data[_HEAD:]
    if not key.verifies(data[len(MAGIC) : _HEAD], _signed(box, name)):
        raise BookbagError(
            "bad-signature", "cannot believe this return: the laptop did not sign it", place=name
        )
    return box


def _signed(box: bytes, name: str) -> bytes:
    return dsse.pae(dsse.RETURN_TYPE, name.encode() + b"\x00" + box)
