"""Everything that is wrong with IT's folder, all of it at once, each with its place and what to do.

Findings either block a publication or only want attention (an overdue review, metadata that expires soon, a
signature that is still missing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.core.clock import DAY, day
from agent.core.errors import BookbagError
from agent.core.ids import is_name
from agent.fleet import (
    arranged,
    awaited,
    mailing,
    orders,
    people,
    policies,
    policytests,
    publication,
    publiclog,
    teachers,
)
from agent.fleet.content import checking as content
from agent.fleet.finding import Finding
from agent.fleet.folder import Folder
from agent.fleet.policytests import Tested
from agent.fleet.records import DeviceRecord, PersonRecord, SiteRecord, TokenRecord
from agent.trust.keys import SealPublicKey
from agent.trust.persons import RANKS, TrustDocument
from agent.trust.site.profiles import PROFILES
from agent.trust.site.repository import SiteRepository
from agent.trust.teachers import Teacher

#: Offline signatures are announced this long before they expire.
SOON = 30 * DAY
#: What to do where a mailbox is full.
ROOM = "delete messages that nobody needs any more, or say it again when others are out of date"


def blocking(findings: list[Finding], *, despite_tests: bool = False) -> list[Finding]:
    """Those that keep the folder from being published. ``despite_tests``: tests that fail do not."""
    return [one for one in findings if one.blocks and not (despite_tests and one.code == "unexpected")]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at the folder came to."""

    findings: list[Finding]
    tested: Tested  #: what the tests of policies say; what they find is among the findings


def check_folder(folder: Folder, now: int) -> list[Finding]:
    """Every finding, in the order of the folder: site, people, policies, devices, tests of policies, orders,
    what is signed."""
    return check_all(folder, now).findings


def check_all(folder: Folder, now: int) -> Checked:
    """The same, with what came of the tests."""
    found: list[Finding] = []
    wrong: list[Finding] = []  # with policies
    site = _guarded(found, folder.site)
    persons = _each(found, folder, "people", folder.person)
    found += _check_people(persons)
    if site is not None:
        found += _check_site(site, {one.id for one in persons})
        listed = _each(found, folder, "teachers", lambda name: teachers.teacher_of(folder.teacher(name)))
        found += _check_trust(site, persons, listed, found)
        wrong += policies.check(folder, site, now)
        found += wrong
    devices = _each(found, folder, "devices", folder.device)
    tested = Tested()
    if site is not None:
        tested = policytests.run(folder, site, devices, sound=not blocking(wrong))
        found += tested.findings
        found += _check_secrets(folder, site, devices, sound=not blocking(wrong))
        found += content.check(folder, site, devices)
    tokens = _each(found, folder, "tokens", folder.token)
    found += _check_devices(folder, devices, tokens)
    found += _check_orders(folder, devices, now)
    found += _check_strays(folder)
    found += _check_signed(folder, now)
    return Checked(found, tested)


def _guarded(found: list[Finding], read: Callable[[], SiteRecord]) -> SiteRecord | None:
    try:
        return read()
    except BookbagError as error:
        found.append(Finding.of(error))
        return None


def _each(found: list[Finding], folder: Folder, where: str, read: Callable[[str], object]) -> list:  # type: ignore[type-arg]
    """Every record of a folder that can be read; a finding for each that cannot."""
    records = []
    try:
        stems = folder.stems(where)
    except BookbagError as error:
        found.append(Finding.of(error))
        return []
    for stem in stems:
        try:
            records.append(read(stem))
        except BookbagError as error:
            found.append(Finding.of(error, place=f"{where}/{stem}.yaml"))
    return records


def _check_secrets(
    folder: Folder, site: SiteRecord, devices: list[DeviceRecord], *, sound: bool
) -> list[Finding]:
    """``sound``: policies can be compiled."""
    try:
        return list(awaited.check(folder, site, devices)) if sound else []
    except BookbagError as error:
        return [Finding.of(error)]


def _check_people(persons: list[PersonRecord]) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for person in persons:
        place = f"people/{person.id}.yaml"
        if not is_name(person.id):
            yield Finding(
                place, "bad-yaml", f"cannot use {person.id!r} as a person's id", "use a-z, 0-9 and hyphens"
            )
        try:
            people.person_of(person)
        except BookbagError as error:
            yield Finding.of(error, place=place)
        for key in {*person.keys, person.seal_key}:
            other = owners.setdefault(key, person.id)
            if other != person.id:
                yield Finding(
                    place,
                    "duplicate-person",
                    f"cannot count {person.id} and {other} as two persons: they share a key",
                    "each person makes keys of their own: bookbag-fleet person keygen",
                )


def _check_site(site: SiteRecord, known: set[str]) -> Iterator[Finding]:
    place = "site.yaml"
    if not is_name(site.site):
        yield Finding(
            place, "bad-yaml", f"cannot use {site.site!r} as a site's id", "use a-z, 0-9 and hyphens"
        )
    if not site.urls:
        yield Finding(place, "bad-yaml", "cannot reach laptops: urls is empty", "write https://HOST/")
    yield from _check_receiver(site.telemetry_url)
    for name, role in sorted(site.roles.items()):
        at = f"{place}: roles.{name}"
        if not is_name(name):
            yield Finding(at, "bad-yaml", f"cannot use {name!r} as a role", "use a-z, 0-9 and hyphens")
        yield from _dangling(at, role.persons, known)
        for rank in role.ranks:
            if rank not in RANKS:
                yield Finding(at, "bad-yaml", f"cannot use rank {rank!r}", f"one of {', '.join(RANKS)}")
        if role.power and len(set(role.persons)) < 2:
            yield Finding(
                at,
                "under-signed",
                "cannot give power to a role of one person: it takes two to sign",
                "name a second person, or set power: false",
            )
        if not role.persons:
            yield Finding(at, "under-signed", "cannot sign for a role that nobody holds", "name a person")
    yield from _dangling(f"{place}: holders", site.holders, known)
    least = PROFILES[site.profile].holders
    if len(set(site.holders)) < least:
        yield Finding(
            f"{place}: holders",
            "under-signed",
            f"cannot hold root with {len(set(site.holders))} persons: profile {site.profile} needs {least}",
            "name more holders",
        )


def _check_receiver(url: str | None) -> Iterator[Finding]:
    if url is not None and not url.startswith(("https://", "http://")):
        place = "site.yaml: telemetry-url"
        why = f"cannot have laptops report to {url[:100]!r}"
        yield Finding(place, "bad-yaml", why, "write https://HOST/, or leave it out: this site's own service")


def _dangling(place: str, names: tuple[str, ...], known: set[str]) -> Iterator[Finding]:
    for name in names:
        if name not in known:
            yield Finding(
                place,
                "not-found",
                f"cannot find person {name!r}",
                f"there is no people/{name}.yaml; add the person or take the name out",
            )


def _check_trust(
    site: SiteRecord, persons: list[PersonRecord], listed: list[Teacher], found: list[Finding]
) -> Iterator[Finding]:
    """What only the whole can show, once the parts hold."""
    if blocking(found):
        return
    try:
        trust = TrustDocument(
            site=site.site,
            epoch=site.epoch,
            persons=tuple(people.person_of(one) for one in persons),
            roles=people.roles_of(site),
            returns_key=SealPublicKey.from_hex(site.returns_key),
            fleet_size=site.fleet_size,
            teachers=tuple(listed),
        )
        TrustDocument.from_bytes(trust.to_bytes())
    except BookbagError as error:
        yield Finding.of(error, place="site.yaml")


def _check_devices(
    folder: Folder, devices: list[DeviceRecord], tokens: list[TokenRecord]
) -> Iterator[Finding]:
    by_id = {one.id: one for one in tokens}
    ids: dict[str, str] = {}
    for device in devices:
        place = f"devices/{device.name}.yaml"
        token = by_id.get(device.token)
        if token is None:
            yield Finding(
                place,
                "not-found",
                f"cannot find its token {device.token}",
                f"make a new one: bookbag-fleet device {device.name}",
            )
        elif token.device != device.name:
            yield Finding(place, "conflict", f"cannot use token {token.id}: it was made for {token.device}")
        if device.device is not None:
            other = ids.setdefault(device.device, device.name)
            if other != device.name:
                yield Finding(place, "conflict", f"cannot tell it from {other}: they have the same device id")
        if device.state == "assigned":
            if None in (device.device, device.sign_key, device.seal_key, device.serial_sha256, device.school):
                yield Finding(
                    place,
                    "bad-yaml",
                    "cannot be assigned without keys, serial hash and school",
                    f"bookbag-fleet assign {device.name} …",
                )
            elif not (folder.orders / device.name / orders.file_name("assign", "")).exists():
                yield Finding(
                    place,
                    "not-found",
                    "cannot find its signed order",
                    f"bookbag-fleet assign {device.name} … --as YOU",
                )


def _check_orders(folder: Folder, devices: list[DeviceRecord], now: int) -> Iterator[Finding]:
    known = {one.name: one for one in devices}
    try:
        yield from publiclog.check(publiclog.read(folder))
    except BookbagError as error:
        yield Finding.of(error, place=publiclog.FILE)
    for name in folder.names(folder.orders, ""):
        if name.endswith(".json"):
            continue
        try:
            found = orders.read_orders(folder, name)
            arranged.read(folder, name)
        except BookbagError as error:
            yield Finding.of(error, place=f"orders/{name}")
            continue
        if name not in known and found:
            yield Finding(
                found[0].file,
                "not-found",
                f"cannot find the laptop {name!r} that this order is for",
                "delete the order, or restore devices/",
            )
        for one in found:
            if one.file != f"orders/{name}/{orders.file_name(one.kind, one.id)}":
                yield Finding(
                    one.file,
                    "conflict",
                    f"cannot file a {one.kind} order under this name",
                    f"it belongs to orders/{name}/{orders.file_name(one.kind, one.id)}",
                )
        if name in known and known[name].state == "assigned":
            yield from _check_mailbox(folder, name, [one for one in found if one.draft.order.expires > now])


def _check_mailbox(folder: Folder, laptop: str, live: list[orders.OrderFile]) -> Iterator[Finding]:
    """What has no room in a laptop's mailbox."""
    try:
        left_out = mailing.fit(folder, laptop, live)[1]
    except BookbagError as error:  # of a receipt
        yield Finding.of(error, place=f"receipts/{laptop}", blocks=False)
        return
    for one in left_out:
        yield Finding(one.file, "too-many", f"cannot file it: {one.why}", ROOM, blocks=False)


def _check_strays(folder: Folder) -> Iterator[Finding]:
    """Files that look like policies and would never be published."""
    for top in ("policies", "power"):
        for name in folder.names(folder.root / top, ""):
            path = folder.root / top / name
            if path.is_symlink() or not path.is_dir():
                yield Finding(
                    f"{top}/{name}",
                    "bad-path",
                    "cannot publish a file outside a role's folder",
                    f"move it to {top}/ROLE/NAME.yaml",
                )
                continue
            for inner in folder.names(path, ""):
                if not inner.endswith(".yaml"):
                    folded = (path / inner).is_dir()
                    yield Finding(
                        f"{top}/{name}/{inner}",
                        "bad-path",
                        "cannot publish what is in a folder of a folder"
                        if folded
                        else "cannot publish this: it does not end in .yaml",
                        f"move it to {top}/{name}" if folded else "rename it, or move it elsewhere",
                        blocks=False,
                    )


def _check_signed(folder: Folder, now: int) -> Iterator[Finding]:
    """The repository: unreadable, expiring, waiting for signatures."""
    damaged = publication.damaged(folder)
    for role, error in damaged:
        yield Finding(
            f"staged/metadata/{role}.json",
            error.code,
            error.message,
            "restore it from git; publish throws it away and stages it anew",
            blocks=False,
        )
    try:
        repository = SiteRepository.open(str(folder.root))
        expiries, pending = repository.expiries(), () if damaged else repository.pending()
    except BookbagError as error:
        yield Finding.of(error, place="repository.json")
        return
    except Exception as error:
        yield Finding(
            "published/metadata",
            "bad-metadata",
            f"cannot read the repository: {error}",
            "restore the file from git",
        )
        return
    for role, expires in sorted(expiries.items()):
        online = role in ("timestamp", "snapshot") or role.startswith("mail")
        left = expires - now
        if left <= 0:
            yield Finding(
                f"published: {role}",
                "expired",
                f"cannot bring news to laptops: it expired on {day(expires)}",
                "bookbag-fleet refresh" if online else "bookbag-fleet publish --as …",
                blocks=False,
            )
        elif not online and left < SOON:
            yield Finding(
                f"published: {role}",
                "expired",
                f"it expires on {day(expires)}",
                "sign it again: bookbag-fleet publish --as …",
                blocks=False,
            )
    for one in pending:
        if not one.ready:
            who = ", ".join(person for person in one.may if person not in one.have)
            yield Finding(
                f"staged: {one.role}",
                "under-signed",
                f"it waits for {one.missing} more person{'s' if one.missing > 1 else ''}",
                f"bookbag-fleet approve --as one of {who}",
                blocks=False,
            )
