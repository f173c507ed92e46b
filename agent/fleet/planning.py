"""What publishing the folder would change: on which laptops, which settings, from what to what, and who
must sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.fleet import filed, groups, mailing, policies, publication
from agent.fleet.content.changes import ContentChange, content_changes
from agent.fleet.folder import Folder
from agent.fleet.records import DeviceRecord
from agent.fleet.trustchange import trust_changes
from agent.fleet.wanted import Wanted, read_wanted
from agent.policy.desk.preview import DeviceDiff, DevicePreview, Overridden, compare, preview
from agent.policy.document import Source
from agent.policy.targeting import DeviceFacts
from agent.trust import floors
from agent.trust.paths import target_file
from agent.trust.site.files import RepositoryFiles
from agent.trust.site.repository import SiteRepository


@dataclass(frozen=True, slots=True)
class ToSign:
    """One role that needs signatures: how many persons, whose, and who has signed what is staged."""

    role: str
    needed: int
    may: tuple[str, ...]
    have: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The laptops on which the same lines change."""

    devices: tuple[str, ...]
    diff: DeviceDiff


@dataclass(frozen=True, slots=True)
class Override:
    """What a document says in vain, and on which laptops."""

    said: Overridden
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """All of it. ``orders``: laptops that get a new assignment; ``refusals``: what laptops would not take,
    and why; ``conflicts``: what they would have to decide between."""

    devices: int
    changing: int
    changes: tuple[Change, ...]
    to_sign: tuple[ToSign, ...]
    orders: tuple[str, ...]
    refusals: tuple[str, ...]
    conflicts: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()  #: whom laptops would trust differently
    content: tuple[ContentChange, ...] = ()
    overrides: tuple[Override, ...] = ()  #: as it would be, whether or not publishing changes it

    @property
    def empty(self) -> bool:
        """Whether publishing would change nothing."""
        return not (self.to_sign or self.orders or self.changing)


def make_plan(folder: Folder, now: int) -> FleetPlan:
    """Compare the folder with what is published. Raises BookbagError if the folder cannot be read."""
    repository = publication.open_repository(folder)
    wanted = read_wanted(folder)
    records = [one for one in folder.devices() if one.state == "assigned" and one.device]
    told = filed.read(folder)
    before_facts = [_before(one, told, wanted) for one in records]
    after_facts = [groups.facts(wanted.site.site, one) for one in records]
    after = preview(policies.sources(folder, wanted.site), after_facts)
    before = preview(_published_sources(folder, wanted), [one for one in before_facts if one is not None])
    diffs = compare(before, after)
    names = {one.device: one.name for one in records}
    refusals = {text for one in after for text in one.refusals}
    conflicts = {text for one in after for text in one.conflicts}
    return FleetPlan(
        devices=len(records),
        changing=len(diffs),
        changes=_grouped(diffs, names),
        to_sign=tuple(_to_sign(folder, repository, wanted)),
        orders=tuple(one.name for one in records if mailing.differs(folder, one, told, wanted.trust, now)),
        refusals=tuple(sorted(refusals)),
        conflicts=tuple(sorted(conflicts)),
        trust=trust_changes(folder, wanted),
        content=content_changes(folder, repository, wanted, records),
        overrides=_overrides(after, names),
    )


def _before(record: DeviceRecord, told: dict[str, filed.Filed], wanted: Wanted) -> DeviceFacts | None:
    """What the laptop was last told that it is; None if it was never told anything."""
    last = told.get(record.name)
    if last is None or last.device != record.device:
        return None
    return DeviceFacts(wanted.site.site, last.device, last.school, last.year, last.class_)


def _published_sources(folder: Folder, wanted: Wanted) -> list[Source]:
    """The documents that laptops have now, whatever is staged."""
    files = RepositoryFiles(str(folder.root))
    sources = []
    for role, power in sorted(wanted.documents):
        kind = "power" if power else "policy"
        signed = files.published(f"{kind}-{role}")
        ranks = wanted.site.roles[role].ranks if role in wanted.site.roles else None
        for path, info in sorted((signed.signed.targets if signed else {}).items()):
            data = files.read("published", "targets", *target_file(path, info.hashes["sha256"]).split("/"))
            if data is not None and path.endswith(".yaml"):
                file = f"{'power' if power else 'policies'}/{role}/{path.rpartition('/')[2]}"
                sources.append(Source(file, data, role, power, ranks))
    return sources


def _overrides(after: Sequence[DevicePreview], names: Mapping[str | None, str]) -> tuple[Override, ...]:
    found: dict[Overridden, list[str]] = {}
    for one in after:
        for said in one.overridden:
            found.setdefault(said, []).append(names[one.device.device])
    rows = (Override(said, tuple(sorted(laptops))) for said, laptops in found.items())
    return tuple(sorted(rows, key=lambda row: (row.said.key, row.said.place, row.said.by)))


def _grouped(diffs: Sequence[DeviceDiff], names: dict[str | None, str]) -> tuple[Change, ...]:
    groups: dict[object, list[DeviceDiff]] = {}
    for diff in diffs:
        groups.setdefault(diff.lines, []).append(diff)
    return tuple(
        Change(tuple(sorted(names[one.device.device] for one in group)), group[0])
        for group in groups.values()
    )


def _to_sign(folder: Folder, repository: SiteRepository, wanted: Wanted) -> list[ToSign]:
    """Roles that differ from what is published, with the signatures that still hold."""
    staged = {one.role: one for one in repository.pending()}
    changed = publication.changed_roles(folder, repository, wanted)
    result = []
    for role in sorted({*changed, *staged}):
        have = staged[role].have if role in staged and role not in changed else ()
        if role in ("root", "targets"):
            needed, may = floors.TARGETS_PERSONS, wanted.site.holders
        else:
            kind, _, name = role.partition("-")
            needed = floors.ROLE_PERSONS[kind]
            may = wanted.site.roles[name].persons if name in wanted.site.roles else ()
        result.append(ToSign(role, needed, tuple(sorted(may)), have))
    return result
