"""Persons of the site: making their keys, sharing the desk's keys with them, taking their power away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.core.errors import BookbagError
from agent.core.ids import check_name
from agent.fleet import keyfile
from agent.fleet.folder import Folder, replace
from agent.fleet.keyfile import PersonKeys
from agent.fleet.keyring import CA, RETURNS, Keyring
from agent.fleet.passphrases import Passphrases
from agent.fleet.records import PersonRecord, RoleRecord, SiteRecord
from agent.trust.keys import PublicKey, SealPublicKey
from agent.trust.persons import Person, Role, for_content_alone


def make_person(folder: Folder, name: str, passphrases: Passphrases) -> PersonKeys:
    """A new person with keys made here, the private ones encrypted with their passphrase."""
    _check_new(folder, name)
    keys = PersonKeys.generate(name)
    data = keyfile.lock(keys, passphrases.get(name, new=True))
    folder.write(folder.key_file(name), data, mode=0o600)
    folder.save_person(PersonRecord(name, (keys.sign.public.hex,), keys.seal.public.hex))
    return keys


def take_person(folder: Folder, record: PersonRecord) -> None:
    """A new person whose keys were made elsewhere: only the public halves come here."""
    _check_new(folder, record.id)
    person_of(record)
    folder.save_person(record)


def _check_new(folder: Folder, name: str) -> None:
    check_name(name, "a person's id")
    if name in folder.stems("teachers"):
        raise BookbagError(
            "conflict",
            f"cannot add {name}: there is a teacher of that id, whose key would be lost",
            place=f"teachers/{name}.yaml",
            remedy=f"choose another id, or first: bookbag-fleet teacher remove {name}",
        )
    if name in folder.stems("people"):
        raise BookbagError(
            "conflict",
            f"cannot add {name}: there is a person of that id",
            place=f"people/{name}.yaml",
            remedy="choose another id; a lost key is replaced by removing the person and adding a new id",
        )


def person_of(record: PersonRecord) -> Person:
    """The person as signed trust names them. Raises ``bad-key``."""
    try:
        keys = tuple(PublicKey.from_hex(one) for one in record.keys)
        seal_key = SealPublicKey.from_hex(record.seal_key)
    except BookbagError as error:
        raise BookbagError(error.code, error.message, place=f"people/{record.id}.yaml") from None
    if not keys:
        raise BookbagError("bad-key", "cannot use a person without a key", place=f"people/{record.id}.yaml")
    return Person(record.id, keys, seal_key)


def roles_of(site: SiteRecord) -> dict[str, Role]:
    """The roles as signed trust names them."""
    return {name: Role(one.persons, one.ranks, one.power, one.content) for name, one in site.roles.items()}


def is_editor(site: SiteRecord, person: str) -> bool:
    """Whether they are here for learning content alone."""
    return for_content_alone(
        role for name, role in roles_of(site).items() if person in site.roles[name].persons
    )


def give_roles(site: SiteRecord, person: str, roles: Iterable[str]) -> SiteRecord:
    """``site`` with ``person`` in ``roles``. Raises ``not-found``."""
    changed = dict(site.roles)
    for name in roles:
        role = changed.get(name)
        if role is None:
            raise BookbagError(
                "not-found",
                f"cannot give {person} the role {name!r}: site.yaml has none of that name",
                place="site.yaml",
                remedy=f"there are: {', '.join(sorted(changed))}",
            )
        if person not in role.persons:
            changed[name] = replace(role, persons=(*role.persons, person))
    return replace(site, roles=changed)


def without(site: SiteRecord, person: str) -> SiteRecord:
    """``site`` without ``person`` in any role, in its next epoch: what they signed and nobody obeyed yet
    falls silent."""
    changed: dict[str, RoleRecord] = {}
    for name, role in site.roles.items():
        left = tuple(one for one in role.persons if one != person)
        if not left:
            raise BookbagError(
                "conflict",
                f"cannot remove {person}: nobody would be left in the role {name}",
                place="site.yaml",
                remedy=f"give the role to somebody first: bookbag-fleet person role {name} PERSON",
            )
        changed[name] = replace(role, persons=left)
    holders = tuple(one for one in site.holders if one != person)
    return replace(site, roles=changed, holders=holders, epoch=site.epoch + 1)


def share_all(folder: Folder, keyring: Keyring, giver: Sequence[str], taker: PersonRecord) -> list[str]:
    """Give ``taker`` the desk's shared keys that ``giver`` can open; returns which."""
    shared = []
    for what in (RETURNS, CA):
        raw = keyring.shared(what, giver)
        keyring.share(what, raw, taker.id, SealPublicKey.from_hex(taker.seal_key))
        shared.append(what)
    return shared
