"""Every error of a folder of policies at once, with place and remedy, before anybody signs anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from agent.core.errors import BookbagError
from agent.core.model import Power
from agent.policy import kinds
from agent.policy.document import PolicyDocument, Source, read_document
from agent.policy.merge import Contribution, resolve
from agent.policy.origins import Asked, asked, contribution
from agent.policy.scheduling import missing_timetable, timetables_of
from agent.policy.syntax.problems import Problems


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that IT must look at; ``place`` is ``file:line:column``."""

    place: str
    code: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}; {self.remedy}" if self.remedy else text


def check_documents(sources: Sequence[Source]) -> list[Finding]:
    """All findings of these documents together, in the order of files and lines. Empty: they may be signed.

    Beyond each document's own errors: ids used twice, ranks beyond the role's, root power in an ordinary
    role (I-7), places that no policy may manage, and contradictions of equal rank.
    """
    errors: list[BookbagError] = []
    documents: list[PolicyDocument] = []
    for source in sources:
        problems = Problems()
        document = read_document(source, problems, strict=True)
        errors += problems.errors
        if document is not None:
            documents.append(document)
            errors += _rank(document)
            errors += _places(document)
    errors += _ids(documents)
    errors += _timetables(documents)
    errors += _contradictions(documents)
    findings = {Finding(error.place, error.code, error.message, error.remedy): None for error in errors}
    return sorted(findings, key=lambda one: _sorting(one.place))


def _sorting(place: str) -> tuple[str, int, int]:
    file, _, rest = place.partition(":")
    line, _, column = rest.partition(":")
    return file, int(line) if line.isdigit() else 0, int(column) if column.isdigit() else 0


def _rank(document: PolicyDocument) -> Iterator[BookbagError]:
    ranks = document.source.ranks
    if ranks is not None and document.rank not in ranks:
        yield BookbagError(
            "not-allowed",
            f"cannot use rank {document.rank} in the role {document.source.role!r}",
            place=f"{document.source.file}:1:1",
            remedy=f"use {' or '.join(ranks) or 'another role'}, or have trust.json give the role more",
        )


def _places(document: PolicyDocument) -> Iterator[BookbagError]:
    for written in document.resources:
        if why := written.resource.forbidden():
            yield BookbagError(
                "not-allowed",
                f"cannot manage {written.resource.id}: {why}",
                place=str(written.place),
                remedy="delete it",
            )
    if document.source.power:
        return
    for one in asked(document):
        power, why = one.resource.power()
        if power is Power.ROOT and not one.resource.forbidden():
            yield BookbagError(
                "root-power",
                f"cannot have {one.name} in policies/: {why}",
                place=one.place,
                remedy="move it to a document in power/, which two persons sign",
            )


def _ids(documents: Sequence[PolicyDocument]) -> Iterator[BookbagError]:
    first: dict[str, PolicyDocument] = {}
    for document in documents:
        holder = first.setdefault(document.id, document)
        if holder is not document:
            yield BookbagError(
                "conflict",
                f"cannot use the id {document.id!r} twice: {holder.source.file} has it",
                place=f"{document.source.file}:1:1",
                remedy="choose another id",
            )


def _timetables(documents: Sequence[PolicyDocument]) -> Iterator[BookbagError]:
    """Timetables that nobody gives, and those that two documents give to the same laptop."""
    for document in documents:
        if document.when is not None and not any(
            timetables_of(document, [other]) and _may_meet(document, other) for other in documents
        ):
            yield missing_timetable(document)
    for one, other in combinations(documents, 2):
        same = sorted(set(one.timetables) & set(other.timetables))
        if (
            same
            and (one.rank, one.source.power) == (other.rank, other.source.power)
            and _may_meet(one, other)
        ):
            yield BookbagError(
                "conflict",
                f"cannot have two timetables {same[0]!r} of one rank: {one.source.file} has it",
                place=f"{other.source.file}:1:1",
                remedy="keep one, or make applies-to keep them apart",
            )


def _contradictions(documents: Sequence[PolicyDocument]) -> Iterator[BookbagError]:
    for key in kinds.settings():
        given = [
            (document, contribution(document, one))
            for document in documents
            for one in document.settings
            if one.setting.key == key
        ]
        for (one, mine), (other, theirs) in combinations(given, 2):
            if one.rank == other.rank and _may_meet(one, other) and not _apart(one, other):
                yield from _contradiction(key, mine, theirs)
    yield from _same_resources(documents)


def _contradiction(key: str, one: Contribution, other: Contribution) -> Iterator[BookbagError]:
    resolved = resolve(kinds.settings()[key], [one, other])
    for text in resolved.conflicts:
        yield BookbagError(
            "conflict",
            f"{text} (setting {key})",
            place=f"{other.origin.file}:{other.origin.line}",
            remedy="keep one, give them different ranks, or make applies-to keep them apart",
        )


def _same_resources(documents: Sequence[PolicyDocument]) -> Iterator[BookbagError]:
    """What two places of one rank want differently, or a setting and a resource of whatever rank: on a laptop
    one of the two would never be in force.
    """
    holders: dict[str, list[tuple[PolicyDocument, Asked]]] = {}
    told: set[tuple[str, str]] = set()
    for document in documents:
        for one in asked(document):
            for claim in dict.fromkeys((*one.resource.claims(), one.resource.id)):
                for other, theirs in holders.setdefault(claim, []):
                    pair = (one.place, theirs.place)
                    if pair not in told and _contradict(document, one, other, theirs):
                        told.add(pair)
                        yield _clash(claim, one, theirs)
                holders[claim].append((document, one))


def _clash(claim: str, one: Asked, theirs: Asked) -> BookbagError:
    setting = one.setting or theirs.setting
    why = f"the setting {setting} decides it" if setting else "they have the same rank and differ"
    names = f" ({one.name}, {theirs.name})" if one.name != theirs.name else ""
    return BookbagError(
        "conflict",
        f"cannot have {claim} both here and at {theirs.place}{names}: {why}",
        place=one.place,
        remedy="keep one of the two",
    )


def _contradict(document: PolicyDocument, one: Asked, other: PolicyDocument, theirs: Asked) -> bool:
    if one.resource == theirs.resource or not _may_meet(document, other) or _apart(document, other):
        return False
    if any(name and kinds.settings()[name].offers for name in (one.setting, theirs.setting)):
        return False  # what is only offered gives way
    if one.setting and theirs.setting:
        # Ranks decide over the values of one setting; two settings of one place are a defect of ours, unless
        # each gives a part of it.
        return one.setting != theirs.setting and not one.resource.shared
    return bool(one.setting or theirs.setting) or document.rank == other.rank


def _apart(one: PolicyDocument, other: PolicyDocument) -> bool:
    """Whether one is in force just when the other is not."""
    mine, theirs = one.when, other.when
    return (
        mine is not None
        and theirs is not None
        and (mine.timetable, mine.outside) == (theirs.timetable, not theirs.outside)
    )


def _may_meet(one: PolicyDocument, other: PolicyDocument) -> bool:
    """Whether a device could be meant by both: no key of applies-to keeps them apart."""
    return all(
        set(wanted) & set(other.applies_to[key])
        for key, wanted in one.applies_to.items()
        if key in other.applies_to
    )
