"""Orders on their way to laptops: checked as a laptop will, named in the public log, sealed to it, filed in
its mailbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.core.errors import BookbagError
from agent.fleet import arranged, filed, orders, publiclog, receipts
from agent.fleet.folder import Folder
from agent.fleet.orders import OrderFile
from agent.fleet.records import DeviceRecord
from agent.trust import floors
from agent.trust.commandlog import CommandLog
from agent.trust.identity import mailbox_name
from agent.trust.keys import SealPublicKey
from agent.trust.mailbox import MOST_ORDERS, seal_mailbox
from agent.trust.orders import has_own_id
from agent.trust.persons import TrustDocument
from agent.trust.site import signing
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.repository import SiteRepository


@dataclass(frozen=True, slots=True)
class Lacking:
    """An order that cannot be filed yet, and why."""

    laptop: str
    kind: str
    id: str
    file: str
    why: str
    have: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mailed:
    """What filing came to: laptops whose mailbox changed, and orders that wait."""

    filed: tuple[str, ...] = ()
    lacking: tuple[Lacking, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """The orders of one laptop that would be filed now, and those that wait."""

    orders: tuple[OrderFile, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    sealed: tuple[bytes, ...] = ()  #: what is arranged, as it lies in the folder

    @property
    def envelopes(self) -> list[bytes]:
        """As they lie in a mailbox."""
        return [*(one.envelope for one in self.orders), *self.sealed]


def file_orders(
    folder: Folder, repository: SiteRepository, trust: TrustDocument, now: int, step: Callable[[], None]
) -> Mailed:
    """Seal each laptop's orders into its mailbox where they changed. ``step`` hears of each laptop."""
    told = filed.read(folder)
    before = dict(told)
    log = publiclog.read(folder)
    publiclog.check_published(log, repository.log())
    known = log
    lacking: list[Lacking] = []
    changed: list[str] = []
    live: set[str] = set()
    boxes: dict[str, bytes | None] = {}
    for record in folder.devices():
        step()
        ready = read_ready(folder, record, trust, now)
        log, ready = entered(log, ready, trust, now)
        lacking += ready.lacking
        if not ready.orders or record.device is None or record.seal_key is None:
            continue
        live.add(record.name)
        wanted = filed.describe(record, ready.envelopes)
        if told.get(record.name) == wanted:
            continue
        box = seal_mailbox(ready.envelopes, SealPublicKey.from_hex(record.seal_key))
        boxes[mailbox_name(trust.site, record.device)] = box
        boxes |= _former(trust.site, told.get(record.name), record.device)
        told[record.name] = wanted
        changed.append(record.name)
    for name in sorted(set(told) - live - {one.laptop for one in lacking}):
        boxes |= _former(trust.site, told.pop(name), None)
    if log is not known:
        # Before any box: an order that laptops meet without its entry is refused.
        publiclog.write(folder, log)
    repository.file_log(log)
    repository.file_mails(boxes)
    if told != before:
        # Only after every box lies in staged/mail: a crash before this seals some of them once more, which
        # is harmless.
        filed.write(folder, told)
    return Mailed(tuple(changed), tuple(lacking))


def read_ready(
    folder: Folder, record: DeviceRecord, trust: TrustDocument, now: int, *, assignments: bool = True
) -> Ready:
    """The orders of a laptop that count, as a laptop will judge them, and those that lack something; without
    its assignment if that is not asked for."""
    if record.state != "assigned" or record.device is None:
        return Ready()
    ready: list[OrderFile] = []
    lacking: list[Lacking] = []
    for one in orders.read_orders(folder, record.name, assignments=assignments):
        order = one.draft.order
        if order.expires <= now or (one.draft.device != record.device and one.kind != "assign"):
            continue  # over, or meant for its former life
        have, needed = one.counting(trust, record, now), trust.needed(one.kind)
        why = ""
        if one.draft.device != record.device:
            why = "it is for the keys that this laptop had before"
        elif one.draft.epoch != trust.epoch:
            why = f"it is of epoch {one.draft.epoch}, the site is at {trust.epoch}"
        elif not has_own_id(one.draft):
            why = "it has an id that is not its own"
        elif len(have) < needed:
            why = f"it needs {needed} persons, {len(have)} signed"
            if strangers := sorted(set(one.signed_by(trust)) - set(have)):
                why = (
                    f"{', '.join(strangers)} signed it, whose class this is not, or whose key ends before it"
                )
        if why:
            lacking.append(Lacking(record.name, one.kind, one.id, one.file, why, have, one.may_sign(trust)))
        else:
            ready.append(one)
    sealed, waiting = _arranged(folder, record, trust, now)
    # The assignment has its place, also where it is not asked for.
    fitting, over = fit(folder, record.name, ready, MOST_ORDERS - (not assignments) - len(sealed))
    return Ready(fitting, (*lacking, *waiting, *over), sealed)


def _arranged(
    folder: Folder, record: DeviceRecord, trust: TrustDocument, now: int
) -> tuple[tuple[bytes, ...], tuple[Lacking, ...]]:
    """What is arranged for a laptop, sealed; or that it is of an epoch that is over. Who signed only the
    laptop can tell: it refuses what too few did, and `accommodate` does before."""
    one = arranged.live(folder, record, now)
    if one is None or one.epoch == trust.epoch:
        return (one.box,) if one else (), ()
    if one.id in {told.order for told in receipts.read(folder, record.name)}:
        return (), ()  # it is there, and stays
    why = f"it is of epoch {one.epoch}, the site is at {trust.epoch}"
    file = folder.relative(arranged.place(folder, record.name))
    return (), (Lacking(record.name, arranged.KIND, one.id, file, why),)


def fit(
    folder: Folder, laptop: str, ready: Sequence[OrderFile], most: int = MOST_ORDERS
) -> tuple[tuple[OrderFile, ...], tuple[Lacking, ...]]:
    """What of a laptop's orders goes into its mailbox, and what has no room there.

    What is in force or calls something off stays: of messages the oldest are left out, and only if there are
    none the oldest cancellations. One of which the laptop has told what came of it lacks nothing.
    """
    waiting = [one for one in ready if floors.floor(one.kind).queue]
    if len(ready) <= most:
        return tuple(ready), ()
    told = {one.order for one in receipts.read(folder, laptop)}
    waiting.sort(key=lambda one: (one.kind == "cancel", not _is_over(one, told), one.draft.order.turn))
    over = waiting[: len(ready) - most]
    why = f"the mailbox of {laptop} is full: it holds {MOST_ORDERS} orders"
    lacking = [Lacking(laptop, one.kind, one.id, one.file, why) for one in over if one.id not in told]
    left = {one.id for one in over}
    return tuple(one for one in ready if one.id not in left), tuple(lacking)


def _is_over(one: OrderFile, told: set[str]) -> bool:
    """Whether it is an answer that the laptop has: those live long, and must keep no message out."""
    return one.kind == "reply" and one.id in told


def entered(log: CommandLog, ready: Ready, trust: TrustDocument, now: int) -> tuple[CommandLog, Ready]:
    """The log with these orders in it, and what of them may be filed."""
    through: list[OrderFile] = []
    held: list[Lacking] = []
    for one in ready.orders:
        have = one.signed_by(trust)
        try:
            log = publiclog.enter(log, one, have, trust, now)
        except BookbagError as error:
            why = f"{error.message}; {error.remedy}"
            held.append(Lacking(one.laptop, one.kind, one.id, one.file, why, have, one.may_sign(trust)))
            continue
        through.append(one)
    return log, Ready(tuple(through), (*ready.lacking, *held), ready.sealed)


def _former(site: str, last: filed.Filed | None, present: str | None) -> dict[str, None]:
    """The mailbox of a laptop's former life, to be taken away."""
    return {mailbox_name(site, last.device): None} if last is not None and last.device != present else {}


def differs(
    folder: Folder, record: DeviceRecord, told: dict[str, filed.Filed], trust: TrustDocument, now: int
) -> bool:
    """Whether what would be filed for a laptop now is not what its mailbox holds."""
    ready = read_ready(folder, record, trust, now)
    return bool(ready.orders) and told.get(record.name) != filed.describe(record, ready.envelopes)


def waiting_orders(
    folder: Folder, trust: TrustDocument, now: int, *, assignments: bool = True
) -> tuple[Lacking, ...]:
    """Every order that would not be filed now; assignments, which no log holds, if they are asked for."""
    log = publiclog.read(folder)
    lacking: list[Lacking] = []
    for record in folder.devices():
        ready = read_ready(folder, record, trust, now, assignments=assignments)
        log, ready = entered(log, ready, trust, now)
        lacking += ready.lacking
    return tuple(lacking)


def is_urgent(kind: str) -> bool:
    """Whether an order of that kind destroys something, so that nobody signs it in passing."""
    return floors.floor(kind).destructive


def trust_in_force(folder: Folder, wanted: TrustDocument, blocked: bool) -> TrustDocument:
    """By which trust laptops will judge orders after this publication: the new one only if it is published
    with it."""
    files = RepositoryFiles(str(folder.root))
    published = files.published("targets")
    return signing.trust_of(files, published.signed) if blocked and published else wanted
