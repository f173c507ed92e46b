"""What is arranged for single laptops: signed `arrange` orders, each in ``orders/NAME/arrange.sealed``.

Which child needs what is nobody's to read in a folder that lies in git: the order is sealed to the laptop,
whose mailbox takes it as it is, and once more to the key that opens returns, for whoever has to look it up.
In clear stand the laptop, the order's number, and its last day.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.core import jsontext, schema
from agent.core.errors import BookbagError
from agent.core.ids import new_id
from agent.fleet.folder import Folder
from agent.fleet.orders import Signed
from agent.fleet.records import DeviceRecord
from agent.trust import orderargs
from agent.trust.keys import SealKey, SealPublicKey
from agent.trust.mailbox import seal_order
from agent.trust.orders import Draft, parse_order
from agent.trust.sealing import ORDER_BLOCK, seal, unseal

KIND = "arrange"
FILE = "arrange.sealed"
_PURPOSE = "arranged"  #: of the desk's own copy
_MOST = 16 << 10


@dataclass(frozen=True, slots=True)
class SealedOrder:
    """The newest such order of one laptop, as its file has it."""

    id: str
    device: str
    epoch: int
    seq: int
    issued: int  #: unix seconds
    expires: int
    order: str  #: base64, sealed to the laptop
    copy: str  #: base64, sealed to the site's returns key
    v: int = 1

    @property
    def box(self) -> bytes:
        """As it lies in the mailbox."""
        return base64.b64decode(self.order)


@dataclass(frozen=True, slots=True)
class Opened:
    """One that was opened. ``settings``: none: it ends what was arranged before; ``until``: unix seconds."""

    laptop: str
    sealed: SealedOrder
    settings: Mapping[str, object]
    until: int
    draft: Draft


def args(settings: Mapping[str, object], until: int) -> dict[str, object]:
    """What such an order says. ``salt``: the laptop's receipt, which the folder has in clear, tells a hash of
    the order. All else in it stands in the folder or can be tried in a moment: without this, whoever guesses
    what is arranged could prove it."""
    return {"settings": dict(settings), "until": until, "salt": new_id()}


def place(folder: Folder, laptop: str) -> Path:
    """Where it lies."""
    return folder.orders / laptop / FILE


def read(folder: Folder, laptop: str) -> SealedOrder | None:
    """The one of that laptop; None if nothing was ever arranged, or it was forgotten. Raises BookbagError."""
    path = place(folder, laptop)
    if not os.path.lexists(path):
        return None
    file = folder.relative(path)
    value = jsontext.parse(folder.read(path, most=_MOST), what=file, max_bytes=_MOST)
    found = schema.decode(SealedOrder, value, what=file)
    try:
        fits = len(base64.b64decode(found.order, validate=True)) == ORDER_BLOCK
    except ValueError:
        fits = False
    if not fits:
        raise BookbagError("bad-json", "cannot use it: it holds no sealed order", place=file)
    return found


def live(folder: Folder, record: DeviceRecord, now: int) -> SealedOrder | None:
    """What belongs into the laptop's mailbox."""
    found = read(folder, record.name)
    return found if found is not None and found.expires > now and found.device == record.device else None


def keep(folder: Folder, signed: Signed) -> SealedOrder:
    """Put a signed order into the folder, sealed. Raises ``too-large``."""
    record, order = signed.record, parse_order(signed.envelope)
    orderargs.check(order.order)  # sealed, nobody looks at it before its laptop does
    assert record.seal_key is not None and record.device is not None  # noqa: S101  # it was signed for them
    returns = SealPublicKey.from_hex(folder.site().returns_key)
    sealed = SealedOrder(
        order.order.id,
        record.device,
        order.epoch,
        order.order.seq,
        order.order.issued,
        order.order.expires,
        _text(seal_order(signed.envelope, SealPublicKey.from_hex(record.seal_key))),
        _text(seal(signed.envelope, returns, purpose=_PURPOSE, block=ORDER_BLOCK)),
    )
    text = jsontext.pretty(schema.encode(sealed)).encode()
    # As `orders.keep`: before the record, so that after a crash in between the number is given again.
    folder.write(place(folder, record.name), text)
    folder.write(*folder.device_file(record))
    return sealed


def opened(laptop: str, sealed: SealedOrder, key: SealKey) -> Opened:
    """What one says. Raises ``bad-envelope``."""
    data = base64.b64decode(sealed.copy)
    draft = parse_order(unseal(data, key, purpose=_PURPOSE, block=ORDER_BLOCK))
    if (draft.kind, draft.order.id, draft.device) != (KIND, sealed.id, sealed.device):
        raise BookbagError("bad-envelope", "cannot believe it: inside it is another order")
    args = orderargs.arrange_args(draft.order)
    return Opened(laptop, sealed, args.settings, args.until or sealed.expires, draft)


def forget_over(folder: Folder, records: Iterable[DeviceRecord], now: int) -> tuple[str, ...]:
    """Take away what is over, also of laptops that are somebody else's by now; whose it was."""
    gone = []
    for record in records:
        if (folder.orders / record.name / FILE).exists() and live(folder, record, now) is None:
            place(folder, record.name).unlink()
            gone.append(record.name)
    return tuple(gone)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
