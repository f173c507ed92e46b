"""What students ask, at the desk: believed for the laptop's own signature, kept sealed as it came.

A child's words are nobody's business but of who answers: in the folder, and so in git, each request lies as
the very box that the laptop sent, and is opened anew whenever somebody with the returns key looks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.core import returns
from agent.core.errors import BookbagError
from agent.fleet import orders
from agent.fleet.folder import Folder
from agent.fleet.orders import OrderFile
from agent.fleet.records import DeviceRecord
from agent.fleet.refused import FOR_GOOD, set_aside
from agent.fleet.returnbox import MOST_ASK
from agent.trust import asks, orderargs, receipts
from agent.trust.asks import Request
from agent.trust.identity import mailbox_name
from agent.trust.keys import PublicKey, SealKey
from agent.trust.orderargs import ReplyArgs

MOST_KEPT = 200  #: of one laptop; the oldest answered ones make room
_SHORTEST = 4  #: characters of an id that are enough if they are clear


@dataclass(frozen=True, slots=True)
class Given:
    """The newest answer to a request. ``issued``: unix seconds."""

    reply: ReplyArgs
    issued: int


@dataclass(frozen=True, slots=True)
class Open:
    """One request that was opened, and its answer if it has one."""

    record: DeviceRecord
    request: Request
    given: Given | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look at the returns came to. ``refused``: (name of the return, why)."""

    new: int
    refused: tuple[tuple[str, str], ...]


def take(folder: Folder, returns_key: SealKey) -> Taken:
    """Keep every request that came back and holds in ``asks/NAME/``; those that never will are set aside, and
    told of this once."""
    owners = dict(_mailboxes(folder, folder.devices()))
    new = 0
    refused: list[tuple[str, str]] = []
    aside: list[str] = []
    for name in folder.names(folder.returns, "", prefix=returns.ASK):
        try:
            record = owners.get(returns.mailbox_of(name))
            if record is None:
                raise BookbagError("not-found", "cannot tell which laptop it is of")
            data = folder.read(folder.returns / name, most=MOST_ASK)
            _opened(folder, record, name, data, returns_key)
            is_new(folder, record, name, data)
            _make_room(folder, record)
        except BookbagError as error:
            refused.append((name, error.message))
            aside += [name] if error.code in FOR_GOOD else []
            continue
        folder.write(_place(folder, record, returns.ask_of(name)), data)
        (folder.returns / name).unlink()  # taken once more if this gets lost: it is the same file again
        new += 1
    set_aside(folder, aside)
    return Taken(new, tuple(refused))


def is_new(folder: Folder, record: DeviceRecord, name: str, data: bytes) -> bool:
    """Whether the request that a laptop sends under ``name`` is not kept yet. Raises ``already-done`` if
    another one of that id is."""
    try:
        kept = folder.read(_place(folder, record, returns.ask_of(name)), most=MOST_ASK)
    except BookbagError as error:
        if error.code == "not-found":
            return True
        raise BookbagError("state-corrupt", error.message, place=name, remedy="restore it from git") from None
    if kept == data:
        return False
    raise BookbagError("already-done", "cannot take this request: another one of this id is kept", place=name)


def read(folder: Folder, returns_key: SealKey) -> tuple[list[Open], list[str]]:
    """(every request, the newest first; what is wrong with those that cannot be opened)."""
    found: list[Open] = []
    wrong: list[str] = []
    for record in folder.devices():
        names = folder.names(folder.root / "asks" / record.name, ".sealed")
        given = answers(folder, record.name) if names else {}
        for name in names:
            try:
                request = _kept(folder, record, name.removesuffix(".sealed"), returns_key)
            except BookbagError as error:
                wrong.append(f"asks/{record.name}/{name}: {error.message}")
                continue
            found.append(Open(record, request, given.get(request.id)))
    return sorted(found, key=lambda one: (-one.request.at, one.request.id)), wrong


def find(found: Iterable[Open], id_: str) -> Open:
    """The request whose id begins with ``id_``. Raises ``not-found``, ``bad-argument`` if there are
    several."""
    fits = [one for one in found if len(id_) >= _SHORTEST and one.request.id.startswith(id_)]
    if len(fits) > 1:
        raise BookbagError("bad-argument", f"cannot tell which request {id_!r} is", remedy="write more of it")
    if not fits:
        raise BookbagError("not-found", f"cannot find request {id_[:40]!r}", remedy="see: bookbag-fleet asks")
    return fits[0]


def answers(folder: Folder, laptop: str) -> Mapping[str, Given]:
    """Id of a request → the newest answer that somebody signed."""
    found: dict[str, Given] = {}
    for one in orders.read_orders(folder, laptop, assignments=False):
        if one.kind == "reply":
            given = _given(one)
            if given is not None and given.issued >= found.get(given.reply.ask, given).issued:
                found[given.reply.ask] = given
    return found


def _given(one: OrderFile) -> Given | None:
    try:
        return Given(orderargs.reply_args(one.draft.order), one.draft.order.issued)
    except BookbagError:
        return None  # `check` names what is wrong with it


def _kept(folder: Folder, record: DeviceRecord, id_: str, returns_key: SealKey) -> Request:
    data = folder.read(_place(folder, record, id_), most=MOST_ASK)
    name = asks.return_name(folder.site().site, record.device or "", id_)
    return _opened(folder, record, name, data, returns_key)


def _opened(folder: Folder, record: DeviceRecord, name: str, data: bytes, returns_key: SealKey) -> Request:
    """Raises BookbagError for what cannot be believed."""
    if record.sign_key is None:
        raise BookbagError("not-found", f"cannot believe it: the keys of {record.name} are not known")
    key = PublicKey.from_hex(record.sign_key)
    request = asks.verify(receipts.open_return(data, name, key, returns_key), key)
    if request.id != returns.ask_of(name):
        raise BookbagError("bad-envelope", f"cannot believe this request: inside it is {request.id}")
    if request.site != folder.site().site:
        raise BookbagError("bad-envelope", f"cannot believe this request: it is of site {request.site}")
    return request


def _make_room(folder: Folder, record: DeviceRecord) -> None:
    box = folder.root / "asks" / record.name
    names = folder.names(box, ".sealed")
    if len(names) < MOST_KEPT:
        return
    given = answers(folder, record.name)
    over = [name for name in names if name.removesuffix(".sealed") in given]
    if not over:
        raise BookbagError(
            "too-many",
            f"cannot keep more than {MOST_KEPT} requests of {record.name}",
            remedy="answer some: bookbag-fleet asks",
        )
    oldest = min(over, key=lambda name: (given[name.removesuffix(".sealed")].issued, name))
    with contextlib.suppress(FileNotFoundError):
        (box / oldest).unlink()


def _mailboxes(folder: Folder, devices: Iterable[DeviceRecord]) -> Iterable[tuple[str, DeviceRecord]]:
    site = folder.site().site
    return ((mailbox_name(site, one.device), one) for one in devices if one.device is not None)


def _place(folder: Folder, record: DeviceRecord, id_: str) -> Path:
    return folder.root / "asks" / record.name / f"{id_}.sealed"
