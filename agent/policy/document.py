"""One policy document: from bytes to typed values that know their line. Notes every error, never raises
for one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.core.model import Mode
from agent.policy import kinds
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Setting
from agent.policy.syntax import yamltext
from agent.policy.syntax.headtypes import Day, Elsewhere, Groups, Name, Why
from agent.policy.syntax.nodes import Mapping, Node, Place, Scalar, Sequence
from agent.policy.syntax.problems import Problems, TooMany, nearest
from agent.policy.syntax.timetypes import zone
from agent.policy.syntax.values import BAD, Choice, Flag, Key, Record, Text, missing_key, unknown_key, wrong
from agent.policy.targeting import KEYS, NARROW, RANKS
from agent.policy.timetable import Timetable, Timetables, When, Whenever

MOST_RESOURCES = 2000


@dataclass(frozen=True, slots=True)
class Source:
    """One document as it was signed, or as it lies in IT's folder, and what its role entitles it to."""

    file: str
    data: bytes
    role: str
    power: bool = False  #: two persons of a power role signed it
    ranks: tuple[str, ...] | None = None  #: the ranks its role may use; None: nobody says, so any

    @property
    def sha256(self) -> str:
        """Hash of the bytes, 64 hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Assigned:
    """One setting as a document gives it."""

    setting: Setting
    value: object
    why: AnyMapping[str, str]
    final: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Written:
    """One resource as a document gives it."""

    resource: Resource
    why: AnyMapping[str, str]
    place: Place


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A document that obeys every rule of the language."""

    source: Source
    id: str
    rank: str
    owner: str
    review_by: str  #: YYYY-MM-DD
    mode: Mode
    applies_to: AnyMapping[str, tuple[str, ...]]
    when: When | None  #: None: at all times
    timetables: AnyMapping[str, Timetable]
    settings: tuple[Assigned, ...]
    resources: tuple[Written, ...]
    #: Settings and kinds that this version does not know: an error for IT, a polite refusal on an older
    #: agent.
    unknown: tuple[BookbagError, ...] = field(default=())

    @property
    def order(self) -> tuple[int, str]:
        """Sorts the farthest rank first, then by id."""
        return RANKS.index(self.rank), self.id


_TOP = {
    "policy": Key(Name(), required=True, about="unique id of this document"),
    "rank": Key(Choice(RANKS), required=True, about="who speaks; later ones are nearer to the device"),
    "owner": Key(Text(most=120), required=True, about="whom to ask, shown to students"),
    "review-by": Key(Day(), required=True, about="the day someone looks again; overdue is reported"),
    "mode": Key(Choice(tuple(Mode)), about="enforce (the default), or observe: only report"),
    "applies-to": Key(Record({key: Key(Groups()) for key in KEYS}), about="whom it is for; left out: all"),
    "when": Key(Whenever(), about="at which times it is in force; left out: at all times"),
    "timetables": Key(Timetables(), about="times that `when` of this rank's and nearer policies can name"),
    "settings": Key(Elsewhere("a mapping, see Settings"), about="what the school decides"),
    "resources": Key(Elsewhere("a list, see Resources"), about="the escape hatch: the machine itself"),
}  # fmt: skip
_LONG = {
    "value": Key(Elsewhere("the value itself"), required=True, about="as in the short form"),
    "why": Key(Why(), about="the reason students read, by language"),
    "final": Key(Flag(), about="true: lower ranks may only tighten it"),
}


def top_keys() -> AnyMapping[str, Key]:
    """The keys of a document, for the reference page."""
    return _TOP


def long_keys() -> AnyMapping[str, Key]:
    """The keys of a setting's long form, for the reference page."""
    return _LONG


def read_document(source: Source, problems: Problems, *, strict: bool = False) -> PolicyDocument | None:
    """The document in ``source``; None after noting in ``problems`` everything that is wrong with it.

    Settings and kinds that this version does not know are noted only if ``strict`` (at the desk); a laptop
    with an older agent gets the rest of the document, and the unknown ones in `PolicyDocument.unknown`.
    """
    before = len(problems.errors)
    root = yamltext.read(source.data, source.file, problems)
    if root is None:
        return None
    try:
        document = _Reader(source, problems, strict=strict).document(root)
    except TooMany:
        return None
    return document if len(problems.errors) == before else None


class _Reader:
    """Reads one document; remembers what this version does not know."""

    def __init__(self, source: Source, problems: Problems, *, strict: bool) -> None:
        self._source = source
        self._problems = problems
        self._strict = strict
        self._unknown: list[BookbagError] = []

    def document(self, root: Node) -> PolicyDocument | None:
        if not isinstance(root, Mapping):
            wrong(Record(_TOP, what="a mapping"), root, self._problems)
            return None
        head: dict[str, object] = {}
        for name, place, node in root.pairs():
            if name in _TOP:
                head[name] = _TOP[name].type.read(node, self._problems)
            else:
                unknown_key(name, place, _TOP, self._problems)
        for name, key in _TOP.items():
            if key.required and name not in head:
                missing_key(name, root, key.type, self._problems)
        self._zones(head.get("timetables"), root.get("timetables"))
        settings = self._settings(root.get("settings"))
        resources = self._resources(root.get("resources"))
        if all(root.get(name) is None for name in ("settings", "resources", "timetables")):
            self._problems.add(
                "bad-policy",
                "cannot use a policy that sets nothing",
                place=root.place,
                remedy="add settings:",
            )
        if any(head.get(name, BAD) is BAD for name, key in _TOP.items() if key.required):
            return None
        return self._whole(root, head, settings, resources)

    def _whole(
        self,
        root: Mapping,
        head: AnyMapping[str, object],
        settings: tuple[Assigned, ...],
        resources: tuple[Written, ...],
    ) -> PolicyDocument | None:
        applies_to = head.get("applies-to", {})
        mode = head.get("mode", "enforce")
        when, timetables = head.get("when"), head.get("timetables", {})
        if not isinstance(applies_to, dict) or BAD in (mode, when) or not isinstance(timetables, dict):
            return None
        assert when is None or isinstance(when, When)  # noqa: S101
        rank = str(head["rank"])
        if rank in NARROW and rank not in applies_to:
            self._problems.add(
                "bad-policy",
                f"cannot use rank {rank} without saying for which {rank}",
                place=root.place,
                remedy=f"add applies-to: {{{rank}: […]}}, or use rank school",
            )
        return PolicyDocument(
            source=self._source,
            id=str(head["policy"]),
            rank=rank,
            owner=str(head["owner"]),
            review_by=str(head["review-by"]),
            mode=Mode(str(mode)),
            applies_to=applies_to,
            when=when,
            timetables=timetables,
            settings=settings,
            resources=resources,
            unknown=tuple(self._unknown),
        )

    def _zones(self, timetables: object, node: Node | None) -> None:
        """Zones that this machine's data lack: their timetables' hours are not known then; the rest holds."""
        if not isinstance(timetables, dict) or not isinstance(node, Mapping):
            return
        for _, _, child in node.pairs():
            named = child.get("zone") if isinstance(child, Mapping) else None
            if isinstance(named, Scalar) and zone(str(named.value)) is None:
                remedy = "use its IANA name, such as Europe/Berlin"
                self._not_known(f"time zone {named.value!r}", named.place, remedy)

    def _settings(self, node: Node | None) -> tuple[Assigned, ...]:
        if node is None:
            return ()
        if not isinstance(node, Mapping):
            wrong(Record({}, what="a mapping of settings"), node, self._problems)
            return ()
        found = (self._setting(name, place, child) for name, place, child in node.pairs())
        return tuple(one for one in found if one is not None)

    def _setting(self, name: str, place: Place, node: Node) -> Assigned | None:
        setting = kinds.settings().get(name)
        if setting is None:
            inside = [f"{name}.{key}" for key, _, _ in node.pairs()] if isinstance(node, Mapping) else []
            meant = next((one for one in inside if one in kinds.settings()), "")
            remedy = f"write its whole name, {meant}" if meant else nearest(name, kinds.settings())
            self._not_known(f"setting {name[:60]!r}", place, remedy)
            return None
        why: AnyMapping[str, str] = {}
        final = False
        if isinstance(node, Mapping):
            if bare := _bare(setting, node):
                self._problems.add(
                    "bad-policy",
                    f"cannot read what {name} says: a value with keys of its own stands under 'value'",
                    place=node.place,
                    remedy=f"write {name}: {{value: {{{bare}: …}}}}",
                )
                return None
            form = Record(_LONG, what=f"the value itself or a mapping for {name}").read(node, self._problems)
            if not isinstance(form, dict):
                return None
            why, final, node = form.get("why", {}), form.get("final", False), form["value"]
        value = setting.value.read(node, self._problems)
        return None if value is BAD else Assigned(setting, value, why, final, place)

    def _resources(self, node: Node | None) -> tuple[Written, ...]:
        if node is None:
            return ()
        if not isinstance(node, Sequence) or len(node.items) > MOST_RESOURCES:
            wrong(Record({}, what=f"a list of at most {MOST_RESOURCES} resources"), node, self._problems)
            return ()
        found = [one for one in map(self._resource, node.items) if one is not None]
        seen: dict[str, Place] = {}
        for written in found:
            identity = written.resource.id
            if identity in seen:
                self._problems.add(
                    "bad-policy",
                    f"cannot have {identity} twice: it is already on line {seen[identity].line}",
                    place=written.place,
                    remedy="keep one of the two",
                )
            seen[identity] = written.place
        return tuple(found)

    def _resource(self, node: Node) -> Written | None:
        form = Record({}, what="a mapping with one kind of resource, such as file,")
        if not isinstance(node, Mapping):
            wrong(form, node, self._problems)
            return None
        why = Why().read(child, self._problems) if (child := node.get("why")) is not None else {}
        named = [(name, place, child) for name, place, child in node.pairs() if name != "why"]
        if len(named) != 1:
            self._problems.add(
                "bad-policy",
                "cannot tell which resource this is: expected exactly one kind",
                place=node.place,
                remedy="write each resource as its own list entry",
            )
            return None
        name, place, child = named[0]
        resource = self._built(name, place, child)
        return None if resource is None or not isinstance(why, dict) else Written(resource, why, place)

    def _built(self, name: str, place: Place, node: Node) -> Resource | None:
        direct = {kind: cls for kind, cls in kinds.resources().items() if cls.direct}
        cls = direct.get(name)
        if cls is None:
            self._not_known(f"resource {name[:60]!r}", place, nearest(name, direct))
            return None
        values = Record(cls.keys, what=f"a {name}").read(node, self._problems)
        if not isinstance(values, dict):
            return None
        resource = cls(**values)
        if mistake := resource.mistake():
            self._problems.add("bad-policy", f"cannot use this {name}: {mistake}", place=place)
            return None
        return resource

    def _not_known(self, what: str, place: Place, remedy: str) -> None:
        message = f"cannot use the unknown {what}"
        if self._strict:
            self._problems.add("bad-policy", message, place=place, remedy=remedy)
        self._unknown.append(BookbagError("not-supported", message, place=str(place), remedy=remedy))


def _bare(setting: Setting, node: Mapping) -> str:
    """The first key of what a person wrote as the value itself, which is to stand under ``value``."""
    keys = setting.value.schema().get("properties")
    written = [] if node.get("value") is not None else [name for name, _, _ in node.pairs()]
    return next(
        (name for name in written if isinstance(keys, dict) and name in keys and name not in _LONG), ""
    )
