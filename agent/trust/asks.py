"""What a student asks of the school: "open this site", "change this setting".

A request is written down in the portal, which has no rights; root reads it here and nowhere else (I-1),
signs it as the laptop's and seals it to the desk, like a receipt (`agent.trust.returned`). It names the
laptop, what is asked for and the student's own words: no person.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.core import jsontext, returns
from agent.core.errors import BookbagError
from agent.trust import dsse
from agent.trust.drafts import VERSION, asked
from agent.trust.fields import Fields
from agent.trust.identity import DeviceIdentity, device_id, mailbox_name
from agent.trust.keys import PublicKey

_MOST_TIME = 1 << 40


@dataclass(frozen=True, slots=True)
class Request:
    """What the desk gets to read. ``at``: trusted unix seconds of the laptop."""

    id: str
    site: str
    device: str
    kind: str
    about: str
    address: str
    words: str
    at: int

    def to_bytes(self) -> bytes:
        """The payload that is signed."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return jsontext.canonical({"v": VERSION, **told})


def sign(request: Request, identity: DeviceIdentity) -> bytes:
    """The request as an envelope of the laptop's."""
    return dsse.sign(request.to_bytes(), dsse.ASK_TYPE, [identity.sign_key])


def return_name(site: str, device: str, id_: str) -> str:
    """What a request goes by under ``returns/``."""
    return f"{returns.ASK}{mailbox_name(site, device)}-{id_}"


def verify(envelope: bytes, sign_key: PublicKey) -> Request:
    """The request in an envelope that the laptop with ``sign_key`` signed. Raises ``bad-envelope``,
    ``bad-signature``, ``wrong-device``."""
    parsed = dsse.parse(envelope)
    if parsed.payload_type != dsse.ASK_TYPE:
        raise BookbagError(
            "bad-envelope", f"cannot take this for a request: it is {parsed.payload_type[:60]!r}"
        )
    if not parsed.signers([sign_key]):
        raise BookbagError("bad-signature", "cannot believe this request: the laptop did not sign it")
    top = Fields(jsontext.parse(parsed.payload, what="request"), "request", code="bad-envelope")
    top.version(VERSION)
    kind, about, address, words = asked(top)
    at = top.integer("at", 0, _MOST_TIME)
    request = Request(top.id("id"), top.name("site"), top.id("device"), kind, about, address, words, at)
    if request.device != device_id(sign_key):
        raise BookbagError(
            "wrong-device", f"cannot believe this request: it speaks of device {request.device}"
        )
    return request
