"""Sessions into mailboxes, and nothing else: whatever else IT has signed waits for IT's own publish.

A mailbox cannot be opened here, so it is made anew of what the folder says. That may only be done where the
folder says, the session aside, exactly what was filed last; its hash tells. What expired since counts as
filed: it is left out, as by any publish.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.fleet import arranged, filed, mailing, onlinekeys, orders, publiclog, sessions
from agent.fleet.classroom import judging
from agent.fleet.classroom.judging import Taken
from agent.fleet.classroom.trusted import published
from agent.fleet.classroom.words import FRESH
from agent.fleet.filed import Filed
from agent.fleet.folder import Folder
from agent.fleet.groups import facts
from agent.fleet.orders import OrderFile
from agent.fleet.records import DeviceRecord
from agent.policy.desk.preview import compile_each
from agent.policy.document import Source
from agent.trust import floors, orderargs
from agent.trust.commandlog import CommandLog
from agent.trust.identity import mailbox_name
from agent.trust.keys import SealPublicKey
from agent.trust.mailbox import MOST_ORDERS, seal_mailbox
from agent.trust.persons import TrustDocument
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.online import Online
from agent.trust.site.repository import SiteRepository

MOST_MOMENTS = 40  #: expired orders of one laptop that are thought of
#: Seconds after which an order that had to wait is not filed any more: whoever sent it was told to try again.
LATE = 2 * FRESH


@dataclass(frozen=True, slots=True)
class _Box:
    """What is to be written for one laptop."""

    laptop: str
    path: Path
    lines: bytes
    mailbox: str
    sealed: bytes
    filed: Filed
    aside: Filed  #: the session left out


def file_sessions(folder: Folder, given: Sequence[Taken], clock: Callable[[], int]) -> Mapping[str, str]:
    """File and publish these, of one laptop one; order → why it is held. ``clock``: unix seconds. Raises
    BookbagError if nothing could be published."""
    held: dict[str, str] = {}
    boxes: list[_Box] = []
    repository = SiteRepository.open(str(folder.root))
    known = _startable(folder, repository, published(folder), given)
    with folder.locked():
        now = clock()  # IT may have held the folder for long
        trust, told, log = published(folder), filed.read(folder), publiclog.read(folder)
        for one in given:
            try:
                _check_startable(one, known)
                boxes.append(_box(folder, one, trust, told, log, now))
            except BookbagError as error:
                held[one.id] = error.message
        if not boxes:
            return held
        online = onlinekeys.load(folder)
        _publish(folder, repository, online, boxes, now)
        # Only now does the folder say so: whoever asks takes that for published. Until both files do, what
        # lies there as session is left out of account, or a machine that dies here would hold up the next.
        filed.write(folder, {**told, **{one.laptop: one.aside for one in boxes}})
        folder.write_many([(one.path, one.lines) for one in boxes])
        filed.write(folder, {**told, **{one.laptop: one.filed for one in boxes}})
    return held


def _publish(
    folder: Folder, repository: SiteRepository, online: Online, boxes: Sequence[_Box], now: int
) -> None:
    """What could not be published does not lie in wait for the next publication: its teacher is told that it
    failed. Only a mailbox that somebody else had staged stays."""
    files = RepositoryFiles(str(folder.root))
    fresh = {one.mailbox for one in boxes}.difference(files.names("staged", "mail"))
    try:
        repository.file_mails({one.mailbox: one.sealed for one in boxes})
        repository.refresh(online, at=now)
    except (BookbagError, OSError):
        with suppress(BookbagError, OSError):
            files.remove_many(sorted(fresh), "staged", "mail")
        raise


def _box(
    folder: Folder, one: Taken, trust: TrustDocument, told: Mapping[str, Filed], log: CommandLog, now: int
) -> _Box:
    record = folder.device(one.laptop)
    one = replace(one, teacher=judging.signer(trust, one.draft).id)
    judging.judge(folder, one, record, trust, now, LATE)
    if record.seal_key is None or record.state != "assigned":
        raise BookbagError("not-found", f"cannot file it for {one.laptop}: it is not in use")
    # What the log of orders does not let pass, such as a lock beyond the brake, goes along no more than here.
    longer, ready = mailing.entered(log, mailing.read_ready(folder, record, trust, now), trust, now)
    if longer is not log or not _is_as_filed(folder, record, trust, told.get(one.laptop), log, now):
        raise BookbagError(
            "conflict",
            f"cannot file it for {one.laptop}: IT has something else for it that is not published yet",
        )
    path = folder.orders / one.laptop / orders.file_name(floors.SESSION, "")
    mine = OrderFile(one.laptop, folder.relative(path), one.envelope, one.draft)
    others = [order for order in ready.orders if order.kind != floors.SESSION]
    room = MOST_ORDERS - len(ready.sealed)
    kept, _ = mailing.fit(folder, one.laptop, sorted([*others, mine], key=_turn), room)
    envelopes = [*(order.envelope for order in kept), *ready.sealed]
    return _Box(
        one.laptop,
        path,
        jsontext.pretty(jsontext.parse(one.envelope, what="envelope")).encode(),
        mailbox_name(trust.site, one.draft.device),
        seal_mailbox(envelopes, SealPublicKey.from_hex(record.seal_key)),
        filed.describe(record, envelopes),
        filed.describe(record, [*(order.envelope for order in others), *ready.sealed]),
    )


def _startable(
    folder: Folder, repository: SiteRepository, trust: TrustDocument, given: Sequence[Taken]
) -> Mapping[str, Mapping[str, int]]:
    """Laptop → what may be started there, by the policies that are published: laptops judge by those."""
    try:
        records = [folder.device(one.laptop) for one in given]
        found = list(compile_each(_sources(repository, trust), [facts(trust.site, one) for one in records]))
    except (BookbagError, OSError):
        return {}  # the laptop will say
    return {record.name: one.startable for record, one in zip(records, found, strict=True)}


def _sources(repository: SiteRepository, trust: TrustDocument) -> list[Source]:
    return [
        Source(name, data, role, power, rule.ranks)
        for role, rule in sorted(trust.roles.items())
        for power in (False, True)
        for name, data in sorted(repository.documents(role, power=power, published=True).items())
    ]


def _check_startable(one: Taken, known: Mapping[str, Mapping[str, int]]) -> None:
    """Raises ``not-allowed`` for what the laptop would refuse."""
    order = one.draft.order
    timetable = orderargs.session_args(order).timetable
    if timetable and one.laptop in known:
        sessions.check_known(one.laptop, known[one.laptop], timetable, order.expires - order.issued)


def _is_as_filed(
    folder: Folder, record: DeviceRecord, trust: TrustDocument, last: Filed | None, log: CommandLog, now: int
) -> bool:
    """Whether the folder says what the mailbox holds, now or before something expired."""
    if last is None:
        return False
    for at in _moments(folder, record, now):
        ready = mailing.read_ready(folder, record, trust, at)
        longer, ready = mailing.entered(log, ready, trust, at)
        others = [one.envelope for one in ready.orders if one.kind != floors.SESSION]
        # Without its session too: the machine may have died before it noted that this one was filed.
        held = [
            filed.describe(record, envelopes) for envelopes in (ready.envelopes, [*others, *ready.sealed])
        ]
        if longer is log and last in held:
            return True
    return False


def _moments(folder: Folder, record: DeviceRecord, now: int) -> list[int]:
    ends = {one.draft.order.expires for one in orders.read_orders(folder, record.name)}
    one = arranged.read(folder, record.name)
    ends |= {one.expires} if one else set()
    return [now, *sorted((end - 1 for end in ends if end <= now), reverse=True)[:MOST_MOMENTS]]


def _turn(one: OrderFile) -> tuple[str, int]:
    """As `orders.read_orders` has them."""
    return one.draft.slot, one.draft.order.seq
