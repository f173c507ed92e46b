"""Documents and one device become a compiled policy: targeting, ranks, settings to resources, and I-7.

Pure: nothing here looks at a machine or a clock. The same documents for the same device give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from functools import reduce

from agent import __version__
from agent.core.errors import BookbagError
from agent.core.model import Mode, Origin, Power
from agent.policy import kinds
from agent.policy.bases.resource import Resource
from agent.policy.compiled import FORM, Compiled
from agent.policy.document import PolicyDocument, Source, read_document
from agent.policy.merge import Contribution, Lost, Resolved, resolve, under_final
from agent.policy.origins import contribution, origin
from agent.policy.syntax.problems import Problems
from agent.policy.targeting import DeviceFacts, meant


def fingerprint(sources: Iterable[Source], device: DeviceFacts) -> str:
    """64 hex over all that a compiled policy depends on: documents, entitlements, device, and this
    program's version.
    """
    documents = sorted([one.file, one.sha256, one.role, one.power, sorted(one.ranks)] for one in sources)
    text = json.dumps([FORM, __version__, astuple(device), documents], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def compile_site(
    sources: Sequence[Source], device: DeviceFacts, last_good: Mapping[str, Source] | None = None
) -> Compiled:
    """What ``device`` should be by these signed documents.

    A document that cannot be read never takes the others down: its last good version (``last_good``, by
    file name) stays in force, under the entitlements of today, and the refusal says so. Everything else
    that is not acceptable is a refusal inside the result.
    """
    build = _Build(device)
    documents: list[PolicyDocument] = []
    for source in sources:
        document = _readable(source, (last_good or {}).get(source.file), build)
        if document is not None and _entitled(document, build):
            documents.append(document)
    for first, second in _same_id(documents):
        build.refuse(second, "", BookbagError("conflict", _twice(first, second), place=second.source.file))
        documents.remove(second)
    build.run(sorted((one for one in documents if meant(one.applies_to, device)), key=lambda one: one.order))
    return build.compiled(fingerprint(sources, device))


def good_sources(sources: Iterable[Source], last_good: Mapping[str, Source]) -> dict[str, Source]:
    """What to keep as ``last_good`` for the next time: each readable document, else its earlier version."""
    kept: dict[str, Source] = {}
    for source in sources:
        if read_document(source, Problems()) is not None:
            kept[source.file] = source
        elif source.file in last_good:
            kept[source.file] = last_good[source.file]
    return kept


def _readable(source: Source, earlier: Source | None, build: _Build) -> PolicyDocument | None:
    problems = Problems()
    document = read_document(source, problems)
    if document is not None:
        return document
    error = problems.errors[0]
    kept = None
    if earlier is not None:
        again = Source(source.file, earlier.data, source.role, source.power, source.ranks)
        kept = read_document(again, Problems())
    stays = "its last good version stays in force" if kept else "nothing of it is in force"
    message = f"{error.message} ({stays})"
    build.refuse_file(source, BookbagError(error.code, message, place=error.place, remedy=error.remedy))
    return kept


def _entitled(document: PolicyDocument, build: _Build) -> bool:
    ranks = document.source.ranks
    if not ranks or document.rank in ranks:
        return True
    role, may = document.source.role, ", ".join(ranks)
    message = f"cannot accept rank {document.rank} from the role {role!r}: it may use {may}"
    build.refuse(document, "", BookbagError("not-allowed", message, place=document.source.file))
    return False


def _same_id(documents: Sequence[PolicyDocument]) -> list[tuple[PolicyDocument, PolicyDocument]]:
    first: dict[str, PolicyDocument] = {}
    pairs = []
    for document in sorted(documents, key=lambda one: one.source.file):
        if document.id in first:
            pairs.append((first[document.id], document))
        else:
            first[document.id] = document
    return pairs


def _twice(first: PolicyDocument, second: PolicyDocument) -> str:
    holds, falls = first.source.file, second.source.file
    return f"cannot accept two documents called {second.id}: {holds} holds, {falls} does not"


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who has the place, path or key that others want too: first come, and settings come first."""

    rank: str  #: "": a setting, of whatever rank
    name: str  #: the setting's key, or the id of a resource written directly
    resource: Resource


class _Build:
    """The compiled policy while it grows."""

    def __init__(self, device: DeviceFacts) -> None:
        self._device = device
        self._origins: list[dict[str, object]] = []
        self._origin_at: dict[tuple[str, int, str], int] = {}
        self._settings: dict[str, object] = {}
        self._items: list[dict[str, object]] = []
        self._claims: dict[str, _Holder] = {}  #: id, path or key → who holds it
        self._refusals: list[dict[str, str]] = []
        self._conflicts: list[dict[str, str]] = []
        self._policies: list[dict[str, str]] = []
        #: Id → setting → its part of a shared resource, and whose.
        self._parts: dict[str, dict[str, tuple[Resource, list[int]]]] = {}
        self._watches: set[str] = set()

    # -- what is not taken

    def refuse(self, document: PolicyDocument, subject: str, error: BookbagError) -> None:
        """Note that ``subject`` (or all) of ``document`` is not accepted."""
        self._refusal(subject or f"policy:{document.id}", error, document.id)

    def refuse_file(self, source: Source, error: BookbagError) -> None:
        """Note that a document could not be read."""
        self._refusal(f"policy:{source.file}", error, "")

    def _refusal(self, subject: str, error: BookbagError, policy: str) -> None:
        row = {"subject": subject, "policy": policy, "code": error.code, "message": error.message}
        self._refusals.append({**row, "place": error.place, "remedy": error.remedy})

    # -- the run

    def run(self, documents: Sequence[PolicyDocument]) -> None:
        """Compile what is enforced, then what the observed policies would add or change."""
        for document in documents:
            self._policies.append(_policy_row(document))
            for error in document.unknown:
                self.refuse(document, "", error)
        enforced = [one for one in documents if one.mode is Mode.ENFORCE]
        self._layer(enforced, observe=False)
        if len(enforced) != len(documents):
            self._layer(documents, observe=True)

    def _layer(self, documents: Sequence[PolicyDocument], *, observe: bool) -> None:
        claims = dict(self._claims) if not observe else {}
        self._claims = claims
        for key in kinds.settings():
            given = _given(key, documents)
            if given := self._allowed(key, given, documents):
                self._setting(key, given, observe=observe)
        self._join(observe=observe)
        self._direct(documents, observe=observe)

    def _allowed(
        self, key: str, given: list[Contribution], documents: Sequence[PolicyDocument]
    ) -> list[Contribution]:
        """``given`` without exceptions to what is final."""
        setting = kinds.settings()[key] if given else None
        if setting is None or not setting.excepts:
            return given
        given, lost = under_final(setting, given, _given(setting.excepts, documents))
        for text in lost:
            self._conflict(key, setting.excepts, text)
        return given

    def _setting(self, key: str, given: list[Contribution], *, observe: bool) -> None:
        setting = kinds.settings()[key]
        resolved = resolve(setting, given)
        resources = setting.resources(resolved.value)
        rooted = [reason for power, reason in (one.power() for one in resources) if power is Power.ROOT]
        weak = [one for one in given if not one.power] if rooted else []
        for one in weak:
            self._not_powerful(key, one.origin, rooted[0])
        if weak:
            given = [one for one in given if one.power]
            if not given:
                return
            resolved = resolve(setting, given)
            resources = setting.resources(resolved.value)
        if observe and self._settings.get(key, {}).get("value") == resolved.value:  # type: ignore[attr-defined]
            return
        for text in resolved.conflicts:
            self._conflict(key, key, text)
        origins = [self._origin(one.origin) for one in resolved.origins]
        for resource in resources:
            if resource.shared:
                self._parts.setdefault(resource.id, {})[key] = (resource, origins)
            else:
                self._item(resource, (key,), origins, observe=observe)
        name = f"{key} (observed)" if observe else key
        self._settings[name] = self._setting_row(key, resolved, resources, observe=observe)

    def _join(self, *, observe: bool) -> None:
        """Shared resources, put together of what the settings gave. In the observed layer what is observed
        takes the place of what is enforced; the rest of the resource is as it is enforced.
        """
        for _, parts in sorted(self._parts.items()):
            keys = [key for key in parts if not observe or f"{key} (observed)" in self._settings]
            if keys:
                whole = reduce(_joined, (resource for resource, _ in parts.values()))
                origins = list(dict.fromkeys(one for key in keys for one in parts[key][1]))
                self._item(whole, tuple(keys), origins, observe=observe)

    def _setting_row(
        self, key: str, resolved: Resolved, resources: Sequence[Resource], *, observe: bool
    ) -> dict[str, object]:
        setting = kinds.settings()[key]

        def row(one: Contribution) -> dict[str, object]:
            return {"origin": self._origin(one.origin), "value": one.value, "shown": setting.show(one.value)}

        def lost(one: Lost) -> dict[str, object]:
            return {**row(one.contribution), "reason": one.reason}

        why: dict[str, str] = dict(setting.why)
        for one in resolved.origins:
            why.update(one.origin.why)
        return {
            "value": resolved.value,
            "shown": setting.show(resolved.value),
            "observe": observe,
            "final": resolved.final.origin.policy if resolved.final else "",
            "why": why,
            "origins": [row(one) for one in resolved.origins],
            "lost": [lost(one) for one in resolved.lost],
            "resources": [resource.id for resource in resources],
        }

    def _direct(self, documents: Sequence[PolicyDocument], *, observe: bool) -> None:
        """Resources written directly: the nearest rank first, so that it holds the place when two want it."""
        order = sorted(documents, key=lambda one: (-one.order[0], one.id))
        for document in order:
            for written in document.resources:
                resource = written.resource
                where = written.place
                asked = origin(document, "", where.line, written.why)
                power, reason = resource.power()
                if forbidden := resource.forbidden():
                    message = f"cannot manage {resource.id}: {forbidden}"
                    self.refuse(document, resource.id, BookbagError("not-allowed", message, place=str(where)))
                elif power is Power.ROOT and not document.source.power:
                    self._not_powerful(resource.id, asked, reason)
                else:
                    origins = [self._origin(asked)]
                    for other in resource.brings():
                        self._item(other, (), origins, observe=observe)
                    self._item(resource, (), origins, observe=observe, document=document)

    def _not_powerful(self, subject: str, asked: Origin, reason: str) -> None:
        error = BookbagError(
            "root-power",
            f"cannot accept {subject} from the ordinary role {asked.role!r}: {reason}",
            place=f"{asked.file}:{asked.line}",
            remedy="move it to a document in power/, which two persons sign",
        )
        row = (subject, asked.policy)
        if row not in {(one["subject"], one["policy"]) for one in self._refusals}:
            self._refusal(subject, error, asked.policy)

    def _item(
        self,
        resource: Resource,
        settings: tuple[str, ...],
        origins: list[int],
        *,
        observe: bool,
        document: PolicyDocument | None = None,
    ) -> None:
        item: dict[str, object] = {
            "id": resource.id,
            "kind": resource.kind,
            "fields": resource.record(),
            "settings": list(settings),
            "origins": origins,
            "observe": observe,
        }
        claims = (resource.id, *resource.claims())
        holder = next((self._claims[claim] for claim in claims if claim in self._claims), None)
        if holder is not None:
            if holder.resource != resource:
                self._taken(resource, ", ".join(settings), holder, document)
            return
        mine = _Holder(document.rank if document else "", ", ".join(settings) or resource.id, resource)
        self._claims.update(dict.fromkeys(claims, mine))
        same = {key: item[key] for key in ("id", "fields")}
        if observe and any({key: one[key] for key in ("id", "fields")} == same for one in self._items):
            return
        self._items.append(item)
        self._watches.update(resource.paths(), resource.watches())

    def _taken(
        self, resource: Resource, setting: str, holder: _Holder, document: PolicyDocument | None
    ) -> None:
        if document is not None and holder.rank and holder.rank != document.rank:
            return  # a nearer rank spoke; that is no contradiction
        whom = document.source.file if document is not None else setting or "a policy"
        message = f"cannot follow {whom} about {resource.id}: {holder.name} holds it"
        self._conflict(setting or resource.id, holder.name, message)

    def _conflict(self, subject: str, holder: str, message: str) -> None:
        row = {"subject": subject, "holder": holder, "message": message}
        if row not in self._conflicts:  # both layers may find it
            self._conflicts.append(row)

    def _origin(self, asked: Origin) -> int:
        key = (asked.file, asked.line, asked.setting)
        if key not in self._origin_at:
            self._origin_at[key] = len(self._origins)
            self._origins.append(asdict(asked))
        return self._origin_at[key]

    def compiled(self, key: str) -> Compiled:
        """The finished policy."""
        return Compiled(
            {
                "v": FORM,
                "fingerprint": key,
                "device": asdict(self._device),
                "policies": self._policies,
                "origins": self._origins,
                "settings": self._settings,
                "items": self._items,
                "refusals": self._refusals,
                "conflicts": self._conflicts,
                "watches": sorted(self._watches),
            }
        )


def _given(key: str, documents: Sequence[PolicyDocument]) -> list[Contribution]:
    """What each of ``documents`` says about the setting ``key``."""
    return [
        contribution(document, one)
        for document in documents
        for one in document.settings
        if one.setting.key == key
    ]


def _joined(one: Resource, other: Resource) -> Resource:
    return one.joined(other)


def _policy_row(document: PolicyDocument) -> dict[str, str]:
    source = document.source
    return {
        "id": document.id,
        "rank": document.rank,
        "owner": document.owner,
        "review_by": document.review_by,
        "mode": str(document.mode),
        "file": source.file,
        "role": source.role,
        "sha256": source.sha256,
    }
