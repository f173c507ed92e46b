"""Whom the site would trust differently after a publication, in words.

Trust is signed in the same run as a new bookmark, and people without any key can write to the folder. Whoever
signs must be told, before a passphrase is asked for, that this signature gives somebody power.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tuf.api.metadata import Root

from agent.core.clock import day
from agent.fleet.folder import Folder
from agent.fleet.wanted import Wanted
from agent.trust import metadata
from agent.trust.persons import Person, Role, TrustDocument
from agent.trust.site import signing
from agent.trust.site.files import RepositoryFiles


def trust_changes(folder: Folder, wanted: Wanted) -> tuple[str, ...]:
    """One line for each thing that laptops would trust differently; none before anything is published."""
    files = RepositoryFiles(str(folder.root))
    targets, root = files.published("targets"), files.root()
    if targets is None or root is None:
        return ()
    before, after = signing.trust_of(files, targets.signed), wanted.trust
    return (
        *_persons(before, after),
        *_roles(before.roles, after.roles),
        *_teachers(before, after),
        *_holders(root.signed, wanted),
        *_site(before, after),
    )


def _persons(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    old: dict[str, Person] = {one.id: one for one in before.persons}
    new: dict[str, Person] = {one.id: one for one in after.persons}
    for name in sorted(new.keys() - old.keys()):
        keys = ", ".join(key.hex[:16] for key in new[name].keys)
        yield f"{name} becomes a person of this site, with the key {keys}…"
    for name in sorted(old.keys() - new.keys()):
        yield f"{name} is no person of this site any more"
    for name in sorted(old.keys() & new.keys()):
        if {key.raw for key in old[name].keys} != {key.raw for key in new[name].keys}:
            yield f"{name} signs with another key: {', '.join(key.hex[:16] for key in new[name].keys)}…"
        if old[name].seal_key.hex != new[name].seal_key.hex:
            yield f"what is sealed to {name}, unlock keys of laptops included, opens with another key"


def _roles(before: Mapping[str, Role], after: Mapping[str, Role]) -> Iterator[str]:
    for name in sorted(before.keys() - after.keys()):
        yield f"the role {name} is gone"
    for name, role in sorted(after.items()):
        old = before.get(name, Role((), ()))
        if gained := sorted(set(role.persons) - set(old.persons)):
            yield f"{', '.join(gained)} may sign for the role {name}{' and its power' if role.power else ''}"
        if lost := sorted(set(old.persons) - set(role.persons)):
            yield f"{', '.join(lost)} may no longer sign for the role {name}"
        if ranks := [one for one in role.ranks if one not in old.ranks]:
            yield f"the role {name} may speak for the rank {', '.join(ranks)}"
        if role.content and not old.content:
            yield f"each of the role {name} may publish learning content"
        if role.power and not old.power:
            yield f"two of the role {name} may run code as root on laptops"


def _teachers(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    old = {one.id: one for one in before.teachers}
    new = {one.id: one for one in after.teachers}
    for name, one in sorted(new.items()):
        if old.get(name) != one:
            keys = ", ".join(key.hex[:16] for key in one.keys)
            what = f"sessions of {', '.join(one.classes)} at {one.school} until {day(one.until - 1)}"
            yield f"the teacher {name} may start {what}, with the key {keys}…"
    for name in sorted(old.keys() - new.keys()):
        yield f"the teacher {name} starts no sessions any more"


def _holders(root: Root, wanted: Wanted) -> Iterator[str]:
    persons = metadata.root_fields(root).persons
    for what, holders in (("root", wanted.holders.root), ("targets", wanted.holders.targets)):
        held = {persons[one]: metadata.raw_key(root.keys[one]).hex for one in root.roles[what].keyids}
        for name in sorted(holders.keys() - held.keys()):
            yield f"{name} may, with a second holder, decide whom this site trusts ({what})"
        for name in sorted(held.keys() - holders.keys()):
            yield f"{name} no longer decides whom this site trusts ({what})"
        for name in sorted(held.keys() & holders.keys()):
            if held[name] != holders[name].hex:
                yield f"{name} holds {what} with another key: {holders[name].hex[:16]}…"
    for what, key in (("timestamp", wanted.online.timestamp), ("snapshot", wanted.online.snapshot)):
        if {metadata.raw_key(root.keys[one]).hex for one in root.roles[what].keyids} != {key.hex}:
            yield f"the publishing machine has another {what} key: {key.hex[:16]}…"


def _site(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    if before.returns_key.hex != after.returns_key.hex:
        yield f"what laptops return is sealed to another key: {after.returns_key.hex[:16]}…"
    if before.fleet_size != after.fleet_size:
        yield f"limits are reckoned from {after.fleet_size} laptops, not from {before.fleet_size}"
