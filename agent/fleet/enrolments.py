"""What laptops sent back: opened with the returns key, believed if it proves the secret of an unused token,
recorded once a person has vouched for its keys.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.core import batch, returns
from agent.core.errors import BookbagError
from agent.core.ids import is_id
from agent.fleet.folder import Folder, replace
from agent.fleet.records import DeviceRecord, TokenRecord
from agent.fleet.returnbox import MAX_BYTES, hash_of
from agent.trust.enrolment import EnrolRequest, open_request, return_name
from agent.trust.identity import serial_hash
from agent.trust.keys import SealKey
from agent.trust.sealing import unseal

HASH = 64  #: bytes of what is left of a return


@dataclass(frozen=True, slots=True)
class Pending:
    """One enrolment that came back: its request if it holds, else why it does not."""

    device: DeviceRecord
    request: EnrolRequest | None
    error: BookbagError | None = None


def waiting(folder: Folder, known: Iterable[DeviceRecord]) -> list[DeviceRecord]:
    """Those of ``known`` whose request lies in ``returns/``; nothing is opened."""
    names = set(folder.names(folder.returns, "", prefix=returns.ENROL))
    return [one for one in known if return_name(one.token) in names]


def dead(folder: Folder, now: int) -> list[str]:
    """Returns that wait for nothing any more: their token is used, or has expired."""
    names = os.listdir(folder.returns) if folder.returns.is_dir() else []
    asked = {name: name.removeprefix(returns.ENROL) for name in names if name.startswith(returns.ENROL)}
    tokens = {name: folder.token(one) for name, one in asked.items() if is_id(one) and folder.has_token(one)}
    return sorted(name for name, token in tokens.items() if token.used or now >= token.expires)


def is_waiting(folder: Folder, device: DeviceRecord) -> bool:
    """Whether the request of one laptop lies in ``returns/``."""
    return os.path.lexists(folder.returns / return_name(device.token))


def not_back(device: DeviceRecord) -> BookbagError:
    """That the enrolment of a laptop is still awaited."""
    return BookbagError(
        "not-found",
        f"cannot assign {device.name}: its enrolment has not come back yet",
        place=f"returns/{return_name(device.token)}",
        remedy="run bookbag enrol on the laptop and let it sync, or bring a stick: bookbag-fleet stick",
    )


class Enrolments:
    """Opens requests, one after the other. No two laptops of the site may have the same keys: those that are
    taken while this goes on count too."""

    def __init__(self, folder: Folder, returns_key: SealKey, known: Iterable[DeviceRecord], now: int) -> None:
        """``known``: every laptop of the site."""
        self._folder = folder
        self._key = returns_key
        self._site = folder.site().site
        self._now = now
        self._owners = {one.device: one.name for one in known if one.device is not None}

    def read(self, device: DeviceRecord, *, serial: str = "") -> Pending:
        """The request of one laptop, with all that it says checked; of the machine with that ``serial``
        number, if it is told."""
        name = return_name(device.token)
        try:
            data = self._folder.read(self._folder.returns / name, most=MAX_BYTES)
            token = self._folder.token(device.token)
            _check_token(token, device, self._now)
            secret = unseal(base64.b64decode(token.secret), self._key, purpose="token")
            request = open_request(data, name, self._key, lambda one: secret if one == token.id else None)
            self._check(request, token, serial)
        except BookbagError as error:
            return Pending(device, None, error)
        except ValueError as error:
            why = f"cannot open the token's secret: {error}"
            return Pending(device, None, BookbagError("bad-envelope", why, place=name))
        return Pending(device, request)

    def require(self, device: DeviceRecord) -> EnrolRequest:
        """The same; raises why it does not hold, or has not come."""
        if not is_waiting(self._folder, device):
            raise not_back(device)
        pending = self.read(device)
        if pending.request is None:
            raise pending.error or BookbagError("internal", "cannot enrol: no request and no error")
        return pending.request

    def take(self, device: DeviceRecord, request: EnrolRequest) -> DeviceRecord:
        """The record of a laptop with the keys of its request; nothing is written."""
        self._owners[request.device] = device.name
        same = device.device == request.device
        return replace(
            device,
            device=request.device,
            sign_key=request.sign_key.hex,
            seal_key=request.seal_key.hex,
            serial_sha256=request.serial_sha256,
            seq=device.seq if same else 0,
            seqs=device.seqs if same else {},
        )

    def _check(self, request: EnrolRequest, token: TokenRecord, serial: str) -> None:
        if request.site != self._site:
            raise BookbagError(
                "wrong-site", f"cannot enrol {token.device}: it speaks to site {request.site!r}"
            )
        told = [token.serial_sha256] if token.serial_sha256 is not None else []
        told += [serial_hash(self._site, serial)] if serial else []
        if any(one != request.serial_sha256 for one in told):
            raise BookbagError(
                "wrong-serial",
                f"cannot enrol {token.device}: this is another machine than the one it was made for",
                remedy="the enrol file was used on the wrong laptop, or the serial number was mistyped",
            )
        other = self._owners.get(request.device, token.device)
        if other != token.device:
            raise BookbagError(
                "bad-signature",
                f"cannot enrol {token.device}: its keys are those of {other}",
                remedy="two laptops share one disk image with keys in it; enrol one of them again",
            )


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


def escrow_files(folder: Folder, name: str, request: EnrolRequest) -> list[tuple[Path, bytes]]:
    """The laptop's unlock key, as sealed to each person, and where it is kept."""
    box = folder.root / "escrow" / name
    return [(box / f"{person}.sealed", data) for person, data in request.escrow]


def settle(folder: Folder, laptops: Sequence[DeviceRecord]) -> None:
    """The very last steps: returns move to ``done/``, where their names stay used, the tokens are spent, and
    of the returns only a hash is left.

    In this order, each durable before the next: a return that still waits with a spent token could be neither
    assigned nor explained. Safe to repeat; a token whose return never came stays what it is.
    """
    done = folder.returns / "done"
    waiting = [one for one in laptops if is_waiting(folder, one)]
    if waiting:
        folder.make_dir(done)
        for name in (return_name(one.token) for one in waiting):
            (folder.returns / name).rename(done / name)
        batch.sync_directories([str(done), str(folder.returns)])
    over = [one.token for one in laptops if os.path.lexists(done / return_name(one.token))]
    tokens = [folder.token(one) for one in over if folder.has_token(one)]
    folder.write_many([folder.token_file(replace(one, used=True)) for one in tokens if not one.used])
    whole = [done / return_name(one) for one in over]
    whole = [path for path in whole if path.lstat().st_size != HASH]
    folder.write_many([(path, hash_of(folder.read(path, most=MAX_BYTES))) for path in whole], mode=0o600)
