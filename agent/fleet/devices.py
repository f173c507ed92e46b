"""Laptops at the desk: one-time tokens and enrol files, what came back, and who belongs to which class.

A token's secret is kept sealed to the site's returns key. A request that came back is believed only if it
proves the secret of
an unused token; a person then vouches for its keys by signing `assign`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from dataclasses import dataclass

from agent.core.clock import DAY
from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet.folder import Folder, replace
from agent.fleet.records import DeviceRecord, SiteRecord, TokenRecord
from agent.trust.enrolment import (
    EnrolFile,
    EnrolRequest,
    make_token,
    open_request,
    return_name,
)
from agent.trust.identity import serial_hash
from agent.trust.keys import SealKey, SealPublicKey
from agent.trust.sealing import seal, unseal

TOKEN_DAYS = 30
_MOST_RETURN = 512 << 10


@dataclass(frozen=True, slots=True)
class Pending:
    """One enrolment that came back: its request if it holds, else why it does not."""

    device: DeviceRecord
    request: EnrolRequest | None
    error: BookbagError | None = None


def invite(
    folder: Folder, name: str, *, serial: str, days: int, ca: bytes, root: bytes, now: int
) -> tuple[DeviceRecord, EnrolFile]:
    """A fresh token for laptop ``name`` (a known laptop gets a new one, and its old one falls silent).

    ``serial`` may be empty when it is not known beforehand. ``root`` is the site's root metadata as
    published.
    """
    check_name(name, "the name of a laptop")
    site = folder.site()
    token = make_token()
    expected = serial_hash(site.site, serial) if serial else None
    box = seal(token.secret, SealPublicKey.from_hex(site.returns_key), purpose="token")
    known = name in folder.stems("devices")
    record = folder.device(name) if known else DeviceRecord(name=name, state="invited", token=token.id)
    folder.save_token(
        TokenRecord(
            id=token.id,
            device=name,
            secret=base64.b64encode(box).decode("ascii"),
            created=now,
            expires=now + days * DAY,
            serial_sha256=expected,
        )
    )
    if known and record.token != token.id:
        _spend(folder, record.token)
    record = replace(record, token=token.id)
    folder.save_device(record)
    return record, EnrolFile(site.site, site.urls, ca.decode("ascii"), root, token, site.telemetry_url or "")


def waiting(folder: Folder, known: Iterable[DeviceRecord] | None = None) -> list[DeviceRecord]:
    """Laptops whose request lies in ``returns/``; nothing is opened. ``known``: all laptops, if they were
    read already."""
    names = set(folder.names(folder.returns, ""))
    return [one for one in (folder.devices() if known is None else known) if return_name(one.token) in names]


def is_waiting(folder: Folder, device: DeviceRecord) -> bool:
    """Whether the request of one laptop lies in ``returns/``."""
    return os.path.lexists(folder.returns / return_name(device.token))


def read_pending(
    folder: Folder, device: DeviceRecord, returns_key: SealKey, known: Iterable[DeviceRecord], now: int
) -> Pending:
    """Open the request of one laptop and check all that it says. ``known``: every laptop of the site."""
    name = return_name(device.token)
    try:
        data = folder.read(folder.returns / name, most=_MOST_RETURN)
        token = folder.token(device.token)
        _check_token(token, device, now)
        secret = unseal(base64.b64decode(token.secret), returns_key, purpose="token")
        request = open_request(data, name, returns_key, lambda one: secret if one == token.id else None)
        _check_request(request, token, folder.site().site, known)
    except BookbagError as error:
        return Pending(device, None, error)
    except ValueError as error:
        return Pending(
            device, None, BookbagError("bad-envelope", f"cannot open the token's secret: {error}", place=name)
        )
    return Pending(device, request)


def _check_token(token: TokenRecord, device: DeviceRecord, now: int) -> None:
    place = f"tokens/{token.id}.yaml"
    if token.device != device.name:
        raise BookbagError(
            "bad-signature", f"cannot enrol {device.name}: its token was made for {token.device}", place=place
        )
    if token.used:
        raise BookbagError(
            "already-done",
            f"cannot enrol {device.name}: its token was used before",
            place=place,
            remedy=f"make a new one: bookbag-fleet device {device.name}",
        )
    if now >= token.expires:
        raise BookbagError(
            "expired",
            f"cannot enrol {device.name}: its token has expired",
            place=place,
            remedy=f"make a new one: bookbag-fleet device {device.name}",
        )


def _check_request(
    request: EnrolRequest, token: TokenRecord, site: str, known: Iterable[DeviceRecord]
) -> None:
    if request.site != site:
        raise BookbagError("wrong-site", f"cannot enrol {token.device}: it speaks to site {request.site!r}")
    if token.serial_sha256 is not None and token.serial_sha256 != request.serial_sha256:
        raise BookbagError(
            "wrong-serial",
            f"cannot enrol {token.device}: this is another machine than the one it was made for",
            remedy="the enrol file was used on the wrong laptop, or the serial number was mistyped",
        )
    for other in known:
        if other.device == request.device and other.name != token.device:
            raise BookbagError(
                "bad-signature",
                f"cannot enrol {token.device}: its keys are those of {other.name}",
                remedy="two laptops share one disk image with keys in it; enrol one of them again",
            )


def find_pending(folder: Folder, name: str, returns_key: SealKey, now: int) -> EnrolRequest:
    """The request of laptop ``name``, once everything in it holds. Raises BookbagError."""
    device = folder.device(name)
    if not is_waiting(folder, device):
        raise BookbagError(
            "not-found",
            f"cannot assign {name}: its enrolment has not come back yet",
            place=f"returns/{return_name(device.token)}",
            remedy="run bookbag enrol on the laptop and let it sync, or bring a stick: bookbag-fleet stick",
        )
    pending = read_pending(folder, device, returns_key, folder.devices(), now)
    if pending.request is None:
        raise pending.error or BookbagError("internal", "cannot enrol: no request and no error")
    return pending.request


def accept(folder: Folder, device: DeviceRecord, request: EnrolRequest) -> DeviceRecord:
    """Record the keys of an enrolled laptop, keep its escrow, spend its token. Safe to repeat after a
    crash."""
    for person, box in request.escrow:
        folder.write(folder.root / "escrow" / device.name / f"{person}.sealed", box)
    record = replace(
        device,
        device=request.device,
        sign_key=request.sign_key.hex,
        seal_key=request.seal_key.hex,
        serial_sha256=request.serial_sha256,
        seq=device.seq if device.device == request.device else 0,
        seqs=device.seqs if device.device == request.device else {},
    )
    return record


def retired(device: DeviceRecord) -> DeviceRecord:
    """The record of a laptop that gets no orders any more."""
    return replace(device, state="retired")


def settle(folder: Folder, device: DeviceRecord) -> None:
    """The very last steps: the return moves to ``done/``, where its name stays used, and the token is spent.

    In this order: a return that still waits with a spent token could be neither assigned nor explained.
    """
    name = return_name(device.token)
    if name in folder.names(folder.returns, ""):
        folder.make_dir(folder.returns / "done")
        (folder.returns / name).rename(folder.returns / "done" / name)
    _spend(folder, device.token)


def _spend(folder: Folder, token_id: str) -> None:
    if token_id in folder.stems("tokens"):
        folder.save_token(replace(folder.token(token_id), used=True))


def parse_groups(pairs: Iterable[str], site: SiteRecord, current: DeviceRecord) -> dict[str, str | None]:
    """``school=…``, ``year=…``, ``class=…`` from the command line, beside what the laptop has. Raises
    ``bad-argument``."""
    groups: dict[str, str | None] = {
        "school": current.school or site.site,
        "year": current.year,
        "class": current.class_,
    }
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not mark or key not in groups:
            raise BookbagError(
                "bad-argument", f"cannot understand {pair!r}", remedy="write school=NAME year=9 class=9a"
            )
        if len(value) > 32 or not value.isprintable():
            raise BookbagError("bad-argument", f"cannot use {pair!r}: at most 32 characters")
        groups[key] = value or None
    check_name(groups["school"] or "", "a school")
    return groups
