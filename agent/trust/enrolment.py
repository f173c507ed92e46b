"""How a laptop and a site come to know each other: an enrol file to the laptop, a sealed request back,
`assign` by a person.

The token is an id and a 128-bit secret. The id names the return; the secret keys an HMAC over everything
the laptop says about itself, so whoever carries the request can neither alter it nor put another laptop's
in its place.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass

from agent.core import jsontext, returns
from agent.core.errors import BookbagError
from agent.core.ids import is_id, new_id
from agent.trust import dsse
from agent.trust.fields import Fields
from agent.trust.identity import DeviceIdentity, device_id
from agent.trust.keys import PublicKey, SealKey, SealPublicKey
from agent.trust.persons import TrustDocument
from agent.trust.sealing import seal, unseal

VERSION = 1
_MOST_FILE = 512 << 10
_MOST_BOX = 8192


@dataclass(frozen=True, slots=True)
class Token:
    """Permission to enrol one laptop, once. The desk keeps ``secret`` until the request came."""

    id: str
    secret: bytes  #: 16 bytes

    def __repr__(self) -> str:
        return f"Token({self.id})"


def make_token() -> Token:
    """A fresh token."""
    return Token(new_id(), os.urandom(16))


@dataclass(frozen=True, slots=True)
class EnrolFile:
    """What IT carries to a laptop: which site, where it is published, whom to believe, and a token."""

    site: str
    urls: tuple[str, ...]
    ca: str  #: PEM certificates, or empty: the system's own
    root: bytes  #: the site's root metadata, exactly as published
    token: Token
    telemetry_url: str = ""  #: where reports go; "": to the site's own service

    def to_bytes(self) -> bytes:
        """The file's bytes, readable by people."""
        value: dict[str, object] = {
            "v": VERSION,
            "site": self.site,
            "urls": list(self.urls),
            "ca": self.ca,
            "root": base64.b64encode(self.root).decode(),
            "token": {"id": self.token.id, "secret": self.token.secret.hex()},
        }
        if self.telemetry_url:
            value["telemetry_url"] = self.telemetry_url
        return jsontext.pretty(value).encode()

    @classmethod
    def from_bytes(cls, data: bytes, *, place: str = "") -> EnrolFile:
        """Parse. Raises ``bad-request``, ``bad-json`` or ``format-too-new``, naming ``place``."""
        try:
            value = jsontext.parse(data, what="enrol file", max_bytes=_MOST_FILE)
            top = Fields(value, "enrol file", code="bad-request")
            top.version(VERSION)
            token = top.inside("token")
            urls = top.texts("urls", 8, 1024)
            if not all(url.startswith(("https://", "http://", "file:///")) for url in urls):
                raise BookbagError(
                    "bad-request", "cannot use enrol file: urls must be https://…", place="urls"
                )
            return cls(
                site=top.name("site"),
                urls=urls,
                ca=top.text("ca", 64 << 10, ""),
                root=top.base64("root", 256 << 10),
                token=Token(token.id("id"), token.hex("secret", 16)),
                telemetry_url=top.text("telemetry_url", 1024, ""),
            )
        except BookbagError as error:
            at = f"{place}:{error.place}" if place and error.place else place or error.place
            raise BookbagError(error.code, error.message, place=at, remedy=error.remedy) from None

    def check_root(self) -> None:
        """Whether its root metadata can be read at all and is this site's; its signatures are judged by
        the first verification. Raises ``bad-request``, ``wrong-site``."""
        place = "enrol file:root"
        try:
            root = jsontext.parse(self.root, what=place)
            site = root["signed"].get("site") if isinstance(root, dict) else None
        except (BookbagError, KeyError, AttributeError):
            raise BookbagError(
                "bad-request", "cannot enrol: the root metadata is damaged", place=place
            ) from None
        if site != self.site:
            raise BookbagError(
                "wrong-site",
                f"cannot enrol with {self.site}: the root metadata is not that site's",
                place=place,
            )


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    """What a laptop says about itself. ``escrow``: its unlock key, sealed to each person, by person id."""

    site: str
    token: str
    sign_key: PublicKey
    seal_key: SealPublicKey
    serial_sha256: str
    escrow: tuple[tuple[str, bytes], ...]
    mac: bytes

    @property
    def device(self) -> str:
        """The device id that follows from its signing key."""
        return device_id(self.sign_key)

    def expected_mac(self, secret: bytes) -> bytes:
        """HMAC-SHA-256 over every field, each with its length, so that no two requests share an encoding."""
        parts = [
            b"bookbag enrol 1",
            self.site.encode(),
            self.token.encode(),
            self.sign_key.raw,
            self.seal_key.raw,
            self.serial_sha256.encode(),
        ]
        for person, box in self.escrow:
            parts += [person.encode(), hashlib.sha256(box).digest()]
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(secret, framed, "sha256")


def return_name(token: str) -> str:
    """The name under ``returns/`` that a request for ``token`` goes by. Raises ``bad-request`` for no token
    id."""
    if not is_id(token):
        raise BookbagError("bad-request", "cannot name a return: the token id is not 32 hex characters")
    return returns.ENROL + token


def make_request(identity: DeviceIdentity, token: Token, trust: TrustDocument, serial_sha256: str) -> bytes:
    """The sealed request to put in the outbox under return_name(token.id).

    ``trust`` must come from a *verified* site: the unlock key is sealed to the persons who decide, the
    whole to its ``returns_key``.
    """
    escrow = tuple(
        (person.id, seal(identity.unlock_key, person.seal_key, purpose="escrow"))
        for person in trust.deciding()
    )
    sign_key, seal_key = identity.public
    draft = EnrolRequest(trust.site, token.id, sign_key, seal_key, serial_sha256, escrow, b"")
    payload = jsontext.canonical(_to_json(draft, draft.expected_mac(token.secret)))
    # 64 persons' boxes of 4 KiB do not fit an envelope of 64 KiB, so what is signed is the request's hash.
    signature = identity.sign_key.sign(dsse.pae(dsse.ENROL_TYPE, payload))
    return seal(signature + payload, trust.returns_key, purpose="return")


def open_request(
    data: bytes, name: str, returns_key: SealKey, secret_of: Callable[[str], bytes | None]
) -> EnrolRequest:
    """The request under ``returns/name``, once everything in it holds.

    ``secret_of`` gives the secret of an *unused* token id, else None. Raises ``bad-envelope`` (not sealed
    to us, or malformed), ``bad-signature`` (altered, or another laptop's request under this token's name),
    ``already-done`` (unknown or used token).
    """
    plain = unseal(data, returns_key, purpose="return")
    signature, payload = plain[:64], plain[64:]
    request = _from_json(jsontext.parse(payload, what="enrol request"))
    if return_name(request.token) != name:
        raise BookbagError(
            "bad-signature",
            "cannot enrol: the request was made with another token than its name says",
            place=name,
            remedy="the server swapped requests; enrol these laptops with new tokens",
        )
    secret = secret_of(request.token)
    if secret is None:
        raise BookbagError(
            "already-done", "cannot enrol: this token is unknown or was used before", place=name
        )
    if not hmac.compare_digest(request.expected_mac(secret), request.mac):
        raise BookbagError(
            "bad-signature",
            "cannot enrol: the request does not prove that it knows the token's secret",
            place=name,
        )
    if not request.sign_key.verifies(signature, dsse.pae(dsse.ENROL_TYPE, payload)):
        raise BookbagError("bad-signature", "cannot enrol: the laptop did not sign its request", place=name)
    return request


def _to_json(request: EnrolRequest, mac: bytes) -> dict[str, object]:
    return {
        "v": VERSION,
        "site": request.site,
        "token": request.token,
        "sign_key": request.sign_key.hex,
        "seal_key": request.seal_key.hex,
        "serial_sha256": request.serial_sha256,
        "escrow": [
            {"person": person, "sealed": base64.b64encode(box).decode()} for person, box in request.escrow
        ],
        "mac": mac.hex(),
    }


def _from_json(value: object) -> EnrolRequest:
    top = Fields(value, "enrol request", code="bad-envelope")
    top.version(VERSION)
    return EnrolRequest(
        site=top.name("site"),
        token=top.id("token"),
        sign_key=PublicKey(top.hex("sign_key", 32)),
        seal_key=SealPublicKey(top.hex("seal_key", 32)),
        serial_sha256=top.hex("serial_sha256", 32).hex(),
        escrow=tuple(
            (one.name("person"), one.base64("sealed", _MOST_BOX)) for one in top.objects("escrow", 64)
        ),
        mac=top.hex("mac", 32),
    )
