"""Persons and what trust.json says of them: the site's signed answer to "who may decide what".

A decision counts *persons*: raw public keys first (one key listed twice is one key), then persons (one
person's two keys are one person).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.ids import is_name
from agent.trust import floors, teachers
from agent.trust.fields import Fields
from agent.trust.keys import PublicKey, SealPublicKey
from agent.trust.paths import TRUST_TARGET
from agent.trust.teachers import Teacher

VERSION = 1
#: From the widest to the narrowest.
RANKS = ("ministry", "district", "school", "year", "class", "device")
_MOST_PERSONS = 64
_MOST_KEYS = 8
_MOST_ROLES = 32


@dataclass(frozen=True, slots=True)
class Person:
    """One human being who may decide something: signing keys, and the key that secrets are sealed to for
    them."""

    id: str
    keys: tuple[PublicKey, ...]
    seal_key: SealPublicKey


@dataclass(frozen=True, slots=True)
class Role:
    """Who may write policy under this name, with which ranks (none: no policy at all), whether two of them
    may use root power, and whether each may publish learning content."""

    persons: tuple[str, ...]
    ranks: tuple[str, ...]
    power: bool = False
    content: bool = False


@dataclass(frozen=True, slots=True)
class KindRule:
    """What the site asks of one kind of order beyond the floor. ``who`` empty: whoever decides more than
    learning content."""

    persons: int
    who: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrustDocument:
    """trust.json. Immutable and consistent: every person, key and role that it names exists exactly once."""

    site: str
    epoch: int
    persons: tuple[Person, ...]
    roles: Mapping[str, Role]
    returns_key: SealPublicKey
    kinds: Mapping[str, KindRule] = field(default_factory=lambda: MappingProxyType({}))
    fleet_size: int = 0
    teachers: tuple[Teacher, ...] = ()  #: no persons: they sign sessions of their own classes only
    v: int = VERSION

    def __post_init__(self) -> None:
        check(self)

    def person(self, name: str) -> Person:
        """The person of that id. Raises ``not-found``."""
        for person in self.persons:
            if person.id == name:
                return person
        raise BookbagError("not-found", f"cannot find person {name!r} in trust.json of {self.site}")

    def deciding(self) -> tuple[Person, ...]:
        """Everybody but those who are here for learning content alone: they sign no orders that do not name
        them, and no laptop's unlock key is for them."""
        return tuple(
            person
            for person in self.persons
            if not for_content_alone(role for role in self.roles.values() if person.id in role.persons)
        )

    def entitled(self, kind: str) -> tuple[Person, ...]:
        """Who may sign an order of ``kind``."""
        rule = self.kinds.get(kind)
        if rule is None or not rule.who:
            return self.deciding()
        return tuple(person for person in self.persons if person.id in rule.who)

    def signers(self, kind: str, named: Collection[str]) -> tuple[Person | Teacher, ...]:
        """Whose signature under an order of ``kind`` means anything: who is entitled and, for sessions,
        teachers, of whom `agent.trust.orders` asks which class and until when. Teachers are many, so of those
        only whose key is ``named`` (hex) there: else whoever fills mailboxes has them all tried in vain."""
        if kind != floors.SESSION:
            return self.entitled(kind)
        theirs = (one for one in self.teachers if any(key.hex in named for key in one.keys))
        return (*self.entitled(kind), *theirs)

    def needed(self, kind: str) -> int:
        """How many different persons an order of ``kind`` needs: never below the compiled-in floor."""
        rule = self.kinds.get(kind)
        return floors.needed(kind, rule.persons if rule else 0)

    def speaking_for(self, persons: Collection[str]) -> tuple[str, ...]:
        """The roles of which one of ``persons`` is; ``power/NAME`` where there are as many of the role as its
        documents there need: one person alone does not speak for what two decided (I-7)."""
        signed = {name: len(set(persons) & set(role.persons)) for name, role in self.roles.items()}
        power = (f"power/{name}" for name, count in signed.items() if count >= floors.POWER_PERSONS)
        return tuple(sorted((*(name for name, count in signed.items() if count), *power)))

    def owners(self) -> Mapping[str, str]:
        """Raw public key in hex → person."""
        return {key.hex: person.id for person in self.persons for key in person.keys}

    def to_bytes(self) -> bytes:
        """trust.json as signed: canonical, so that the same trust gives the same bytes."""
        return jsontext.canonical(_to_json(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> TrustDocument:
        """Parse and check. Raises ``bad-metadata``, ``bad-json``, ``bad-key``, ``duplicate-person``,
        ``format-too-new``."""
        return _from_json(jsontext.parse(data, what=TRUST_TARGET))


def for_content_alone(roles: Iterable[Role]) -> bool:
    """Whether somebody who is in just these roles is here for learning content and nothing else."""
    listed = tuple(roles)
    return any(role.content for role in listed) and not any(role.ranks or role.power for role in listed)


def check(trust: TrustDocument) -> None:
    """Refuse a trust document that contradicts itself. Raises ``duplicate-person`` or ``bad-metadata`` with
    the key path."""
    seen: dict[bytes, str] = {}
    names: set[str] = set()
    for person in trust.persons:
        if person.id in names:
            raise _duplicate(f"person {person.id} is listed twice", f"persons.{person.id}")
        names.add(person.id)
        for key in person.keys:
            if key.raw in seen:
                raise _duplicate(
                    f"one key belongs to {seen[key.raw]} and to {person.id}", f"persons.{person.id}.keys"
                )
            seen[key.raw] = person.id
    _check_teachers(trust, set(names), seen)
    for name, role in trust.roles.items():
        _known(role.persons, names, f"roles.{name}.persons")
        _each(role.ranks, RANKS, f"roles.{name}.ranks")
    for kind, rule in trust.kinds.items():
        place = f"kinds.{kind}.persons"
        floors.check_raise(kind, rule.persons, place=place)
        _known(rule.who, names, f"kinds.{kind}.who")
        if rule.persons > len(rule.who or trust.deciding()):
            raise BookbagError(
                "bad-metadata",
                f"cannot let {kind} need {rule.persons} persons: fewer may sign it",
                place=place,
            )


def _check_teachers(trust: TrustDocument, names: set[str], seen: dict[bytes, str]) -> None:
    """Nobody is a teacher and a person, or two teachers. ``seen``: raw key → whose."""
    if len(trust.teachers) > teachers.MOST:
        why = f"a site has {teachers.MOST} teachers at most"
        raise BookbagError("bad-metadata", f"cannot accept trust.json: {why}", place="teachers")
    for teacher in trust.teachers:
        place = f"teachers.{teacher.id}"
        if teacher.id in names:
            raise _duplicate(f"{teacher.id} is there twice", place)
        names.add(teacher.id)
        for key in teacher.keys:
            other = seen.setdefault(key.raw, teacher.id)
            if other != teacher.id:
                raise _duplicate(f"one key belongs to {other} and to {teacher.id}", f"{place}.keys")


def distinct(keys: Iterable[PublicKey], owners: Mapping[str, str]) -> tuple[str, ...]:
    """The different persons behind ``keys``, sorted; keys that nobody owns count for nobody."""
    raw = {key.hex for key in keys}
    return tuple(sorted({owners[key] for key in raw if key in owners}))


def _duplicate(why: str, place: str) -> BookbagError:
    return BookbagError("duplicate-person", f"cannot accept trust.json: {why}", place=place)


def _known(listed: tuple[str, ...], names: set[str], place: str) -> None:
    _each(listed, tuple(sorted(names)), place)


def _each(listed: tuple[str, ...], allowed: tuple[str, ...], place: str) -> None:
    for name in listed:
        if name not in allowed:
            raise BookbagError(
                "bad-metadata",
                f"cannot accept trust.json: {name!r} is none of {', '.join(allowed)}",
                place=place,
            )


def _from_json(value: object) -> TrustDocument:
    top = Fields(value, TRUST_TARGET)
    top.version(VERSION)
    persons = tuple(
        Person(
            id=one.name("id"),
            keys=tuple(PublicKey.from_hex(text) for text in one.texts("keys", _MOST_KEYS)),
            seal_key=SealPublicKey(one.hex("seal_key", 32)),
        )
        for one in top.objects("persons", _MOST_PERSONS)
    )
    roles = {
        name: Role(
            one.names("persons", _MOST_PERSONS),
            one.names("ranks", len(RANKS)),
            one.boolean("power", False),
            one.boolean("content", False),
        )
        for name, one in top.table("roles", _MOST_ROLES).items()
    }
    kinds = {
        name: KindRule(one.integer("persons", 0, 1 << 16), one.names("who", _MOST_PERSONS))
        for name, one in top.table("kinds", 64).items()
    }
    for name in (*roles, *kinds):
        if not is_name(name):
            raise BookbagError(
                "bad-metadata", f"cannot accept trust.json: {name!r} is no name", place="roles"
            )
    return TrustDocument(
        site=top.name("site"),
        epoch=top.integer("epoch", 1, 1 << 31),
        persons=persons,
        roles=MappingProxyType(roles),
        returns_key=SealPublicKey(top.hex("returns_key", 32)),
        kinds=MappingProxyType(kinds),
        fleet_size=top.integer("fleet_size", 0, 1_000_000, 0),
        teachers=teachers.read(top),
    )


def _to_json(trust: TrustDocument) -> dict[str, object]:
    return {
        "v": trust.v,
        "site": trust.site,
        "epoch": trust.epoch,
        "fleet_size": trust.fleet_size,
        "returns_key": trust.returns_key.hex,
        "persons": [
            {"id": one.id, "keys": [key.hex for key in one.keys], "seal_key": one.seal_key.hex}
            for one in trust.persons
        ],
        "roles": {name: _role(one) for name, one in trust.roles.items()},
        "kinds": {name: {"persons": one.persons, "who": list(one.who)} for name, one in trust.kinds.items()},
        **teachers.to_json(trust.teachers),
    }


def _role(role: Role) -> dict[str, object]:
    told: dict[str, object] = {
        "persons": list(role.persons),
        "ranks": list(role.ranks),
        "power": role.power,
    }
    # Left out where it is false, as it was before there was content: nobody has to sign trust anew for it.
    return {**told, "content": True} if role.content else told
