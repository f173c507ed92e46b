"""Documents that hold for one device at one moment become its settings and resources, and what is not
taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce

from agent.core.errors import BookbagError
from agent.core.model import Mode, Origin, Power
from agent.policy import kinds
from agent.policy.arranging import NOTHING, ORIGIN, Arrangement, Arranging
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Setting
from agent.policy.choosing import NOBODY, Choosing, Chosen, whose
from agent.policy.compiled import FORM, Compiled
from agent.policy.document import PolicyDocument, Source
from agent.policy.doubt import tightened
from agent.policy.merge import Contribution, Lost, Resolved, resolve, under_final
from agent.policy.origins import contribution, origin
from agent.policy.scheduling import Schedule
from agent.policy.targeting import DeviceFacts


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who has the place, path or key that others want too: first come, and settings come first."""

    rank: str  #: "": a setting, of whatever rank
    name: str  #: the setting's key, or the id of a resource written directly
    resource: Resource


class Build:
    """The compiled policy while it grows."""

    def __init__(
        self, device: DeviceFacts, arrangement: Arrangement = NOTHING, chosen: Chosen = NOBODY
    ) -> None:
        self._device = device
        self._choosing = Choosing(chosen)
        self._arranging = Arranging(arrangement)
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

    def run(self, schedule: Schedule) -> None:
        """Compile what is enforced, then what the observed policies would add or change."""
        for document, error in schedule.unsure:
            self.refuse(document, "", error)
        documents = sorted((*schedule.certain, *schedule.doubtful), key=lambda one: one.order)
        for document in documents:
            self._policies.append(_policy_row(document))
            for error in document.unknown:
                self.refuse(document, "", error)
        certain, doubtful = ([one for one in part if one.mode is Mode.ENFORCE] for part in schedule.parts)
        self._layer(certain, doubtful, observe=False)
        if len(certain) + len(doubtful) != len(documents):
            self._layer(*schedule.parts, observe=True)

    def _layer(
        self, certain: Sequence[PolicyDocument], doubtful: Sequence[PolicyDocument], *, observe: bool
    ) -> None:
        claims = dict(self._claims) if not observe else {}
        self._claims = claims
        # What is only offered comes last, so that what another setting says of it holds.
        for key, setting in sorted(kinds.settings().items(), key=lambda one: one[1].offers):
            given = self._held(setting, _given(key, certain), _given(key, doubtful))
            given = self._allowed(key, given, (*certain, *doubtful))
            if not observe:
                self._arranging.weigh(key, given)
            if given:
                self._setting(key, given, observe=observe)
        self._join(observe=observe)
        self._direct(certain, observe=observe)
        # Last, so that what a policy brings along is the policy's, and is told as on every other laptop.
        for resource in () if observe else self._arranging.resources():
            self._item(resource, (), [self._origin(ORIGIN)], observe=False)

    def _held(
        self, setting: Setting, certain: list[Contribution], doubtful: list[Contribution]
    ) -> list[Contribution]:
        """What holds of both. What is not accepted hides nothing that is: it is refused before they are
        compared."""
        if not doubtful:
            return certain
        parts = ([one for one in part if self._may(setting, one)] for part in (certain, doubtful))
        return tightened(setting, *parts)

    def _may(self, setting: Setting, one: Contribution) -> bool:
        rooted = (
            why
            for power, why in (each.power() for each in setting.resources(one.value))
            if power is Power.ROOT
        )
        reason = "" if one.power else next(rooted, "")
        if reason:
            self._not_powerful(setting.key, one.origin, reason)
        return not reason

    def _weak(self, setting: Setting, one: Contribution) -> bool:
        """Whether one person cannot say this beside what only two can."""
        if one.power or not setting.apart:
            return not one.power
        return any(each.power()[0] is Power.ROOT for each in setting.resources(one.value))

    def _allowed(
        self, key: str, given: list[Contribution], documents: Sequence[PolicyDocument]
    ) -> list[Contribution]:
        """``given`` without exceptions to what is final, or may be."""
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
        weak = [one for one in given if self._weak(setting, one)] if rooted else []
        for one in weak:
            self._not_powerful(key, one.origin, rooted[0])
        if weak:
            given = [one for one in given if one not in weak]
            if not given:
                return
            resolved = resolve(setting, given)
            resources = setting.resources(resolved.value)
        if observe and self._settings.get(key, {}).get("value") == resolved.value:  # type: ignore[attr-defined]
            return
        for text in resolved.conflicts:
            self._conflict(key, key, text)
        origins = [self._origin(one.origin) for one in resolved.origins]
        if setting.offers:
            held = {claim: holder.resource for claim, holder in self._claims.items()}
            resources = () if observe else self._choosing.take(setting, resolved, held, self._origin)
        for resource in resources:
            if resource.shared:
                self._parts.setdefault(resource.id, {})[key] = (resource, origins)
            elif setting.offers:
                by = self._origin(whose(setting, resource, resolved).origin)
                self._item(resource, (key,), [by], observe=observe)
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

        return {
            "value": resolved.value,
            "shown": setting.show(resolved.value),
            "observe": observe,
            "final": resolved.final.origin.policy if resolved.final else "",
            "why": _reasons(setting, [one.origin for one in resolved.origins]),
            "origins": [row(one) for one in resolved.origins],
            "lost": [lost(one) for one in resolved.lost],
            "resources": [resource.id for resource in resources],
        }

    def _direct(self, documents: Sequence[PolicyDocument], *, observe: bool) -> None:
        """Resources written directly: the nearest rank first, so that it holds the place when two want it."""
        order = sorted(documents, key=lambda one: (-one.order[0], one.id))
        for document in order:
            for written in document.resources:
                resource = self._arranging.without(written.resource)
                if resource is None:
                    continue
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
        if settings and all(kinds.settings()[key].offers for key in settings):
            item["chosen"] = True
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

    def compiled(self, key: Mapping[str, object]) -> Compiled:
        """The finished policy; ``key`` tells it from others, and says how long it holds."""
        return Compiled(
            {
                "v": FORM,
                **key,
                "device": asdict(self._device),
                "policies": self._policies,
                "origins": self._origins,
                "settings": self._settings,
                "items": self._items,
                "refusals": self._refusals,
                "conflicts": self._conflicts,
                "watches": sorted(self._watches),
                **self._arranging.told(),
                **self._choosing.told(),
            }
        )


def _reasons(setting: Setting, origins: Sequence[Origin]) -> dict[str, str]:
    """Language → the sentence of everybody who decided a part, once each; the setting's own where one gives
    none."""
    given = [one.why or setting.why for one in origins]
    languages = dict.fromkeys((*setting.why, *(language for why in given for language in why)))
    found = {
        language: " ".join(dict.fromkeys(why[language] for why in given if why.get(language)))
        for language in languages
    }
    return {language: text or setting.why.get(language, "") for language, text in found.items()}


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
        "when": str(document.when or ""),
        "file": source.file,
        "role": source.role,
        "sha256": source.sha256,
    }
