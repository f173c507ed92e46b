"""What teachers have on at which laptops, as the desk knows it: by the newest signed order of each, and by
what the laptop said came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent.core.clock import day
from agent.core.errors import BookbagError
from agent.fleet import groups, orders, policies, receipts, teachers
from agent.fleet.folder import Folder
from agent.fleet.orders import OrderFile
from agent.fleet.records import DeviceRecord
from agent.fleet.wanted import read_wanted
from agent.policy.desk.preview import compile_each
from agent.trust import floors, orderargs
from agent.trust.persons import TrustDocument

#: Receipts of a laptop among which the one of its newest session is looked for: in years they are hundreds,
#: and teachers look every second while they wait.
NEWEST = 32


@dataclass(frozen=True, slots=True)
class Standing:
    """One laptop. ``timetable``: what it was last told to have on, "" for nothing; ``state``: what it
    answered ("": nothing yet). Times are unix seconds."""

    laptop: str
    timetable: str = ""
    until: int = 0
    by: str = ""
    state: str = ""
    at: int = 0

    def value(self) -> dict[str, object]:
        """For programs."""
        return {
            "device": self.laptop,
            "timetable": self.timetable,
            "until": self.until,
            "by": self.by,
            "state": self.state,
            "at": self.at,
        }


def of_class(folder: Folder, class_: str, school: str = "") -> list[DeviceRecord]:
    """The assigned laptops of a class. Raises ``not-found``, and ``bad-argument`` where two schools have
    one of that name."""
    found = [
        one
        for one in folder.devices()
        if one.state == "assigned" and one.class_ == class_ and school in ("", one.school)
    ]
    if not found:
        raise BookbagError("not-found", f"cannot find a laptop of class {class_}")
    if len({one.school for one in found}) > 1:
        raise BookbagError(
            "bad-argument",
            f"cannot tell which {class_}: several schools have one",
            remedy="say --school NAME",
        )
    return found


def standing(folder: Folder, records: Iterable[DeviceRecord], now: int) -> list[Standing]:
    """How each stands. Raises BookbagError for a file of the folder that cannot be read."""
    trust = read_wanted(folder).trust
    return [stand(folder, record, trust, now) for record in records]


def startable(folder: Folder, records: Sequence[DeviceRecord]) -> list[Mapping[str, int]]:
    """For each: which timetables its policies let a teacher start, and for how many seconds."""
    site = folder.site()
    facts = [groups.facts(site.site, one) for one in records]
    return [one.startable for one in compile_each(policies.sources(folder, site), facts)]


def check(folder: Folder, records: Sequence[DeviceRecord], timetable: str, seconds: int) -> None:
    """Raises ``not-allowed`` for what these laptops would refuse, by the policies in this folder."""
    for record, known in zip(records, startable(folder, records), strict=True):
        check_known(record.name, known, timetable, seconds)


def check_known(laptop: str, known: Mapping[str, int], timetable: str, seconds: int) -> None:
    """As `check`, for one laptop of which it is ``known`` what may be started there."""
    most = known.get(timetable, 0)
    if not most:
        raise BookbagError(
            "not-allowed",
            f"cannot start {timetable} on {laptop}: no policy of it lets a teacher start that",
            remedy=f"there are: {', '.join(known) or 'none'}; see startable: in the policy reference",
        )
    if seconds > most:
        raise BookbagError(
            "not-allowed",
            f"cannot start {timetable} for {seconds // 60} minutes: its policy allows {most // 60}",
        )


def check_signers(
    folder: Folder, records: Sequence[DeviceRecord], persons: Sequence[str], until: int, now: int
) -> None:
    """Raises ``not-allowed`` for a laptop on which none of ``persons`` may have anything on until then."""
    known = {one.id: one for one in teachers.read(folder)}
    if not persons or any(name not in known for name in persons):
        return  # of persons the laptop counts the signatures, and whoever is unknown has no key
    for record in records:
        school, class_ = record.school or "", record.class_ or ""
        if any(
            known[name].teaches(school, class_) and known[name].holds(now, until, now) for name in persons
        ):
            continue
        one = known[persons[0]]
        raise BookbagError(
            "not-allowed",
            f"cannot sign for {record.name}, of {class_} at {school}: {one.id} teaches "
            f"{', '.join(one.classes)} at {one.school}, until {day(one.until - 1)}",
            remedy="IT gives a teacher other classes or another day: bookbag-fleet teacher add",
        )


def stand(folder: Folder, record: DeviceRecord, trust: TrustDocument, now: int) -> Standing:
    """How one stands. Raises as `standing`."""
    order = orders.read_order(folder, record.name, floors.SESSION)
    if order is None or order.draft.device != record.device:
        return Standing(record.name)
    told = [one for one in receipts.last(folder, record, NEWEST) if one.order == order.id]
    stands = on(record, order, trust, now)
    return replace(stands, state=told[-1].state, at=told[-1].at) if told else stands


def on(record: DeviceRecord, order: OrderFile, trust: TrustDocument, now: int) -> Standing:
    """What the laptop was last told, whatever it answered."""
    draft = order.draft.order
    timetable = orderargs.session_args(draft).timetable if draft.expires > now else ""
    by = ", ".join(order.signed_by(trust))
    return Standing(record.name, timetable, draft.expires if timetable else 0, by)
