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
from agent.policy.origins import contribution
from agent.policy.problems import Problems


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
    errors += _contradictions(documents)
    findings = {Finding(error.place, error.code, error.message, error.remedy): None for error in errors}
    return sorted(findings, key=lambda one: _sorting(one.place))


def _sorting(place: str) -> tuple[str, int, int]:
    file, _, rest = place.partition(":")
    line, _, column = rest.partition(":")
    return file, int(line) if line.isdigit() else 0, int(column) if column.isdigit() else 0


def _rank(document: PolicyDocument) -> Iterator[BookbagError]:
    ranks = document.source.ranks
    if ranks and document.rank not in ranks:
        yield BookbagError(
            "not-allowed",
            f"cannot use rank {document.rank} in the role {document.source.role!r}",
            place=f"{document.source.file}:1:1",
            remedy=f"use {' or '.join(ranks)}, or have trust.json give the role more",
        )


def _places(document: PolicyDocument) -> Iterator[BookbagError]:
    for written in document.resources:
        resource = written.resource
        if why := resource.forbidden():
            yield BookbagError(
                "not-allowed",
                f"cannot manage {resource.id}: {why}",
                place=str(written.place),
                remedy="delete it",
            )
            continue
        power, why = resource.power()
        if power is Power.ROOT and not document.source.power:
            yield BookbagError(
                "root-power",
                f"cannot have {resource.id} in policies/: {why}",
                place=str(written.place),
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


def _contradictions(documents: Sequence[PolicyDocument]) -> Iterator[BookbagError]:
    for key in kinds.settings():
        given = [
            (document, contribution(document, one))
            for document in documents
            for one in document.settings
            if one.setting.key == key
        ]
        for (one, mine), (other, theirs) in combinations(given, 2):
            if one.rank == other.rank and _may_meet(one, other):
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
    given = [(document, written) for document in documents for written in document.resources]
    holder: dict[str, list[tuple[PolicyDocument, str, object]]] = {}
    for document, written in given:
        place = str(written.place)
        for path in written.resource.paths():
            for other, where, resource in holder.setdefault(path, []):
                same = resource == written.resource or other.rank != document.rank
                if not same and other is not document and _may_meet(document, other):
                    yield BookbagError(
                        "conflict",
                        f"cannot have {path} both here and at {where}: they have the same rank and differ",
                        place=place,
                        remedy="keep one of the two",
                    )
            holder[path].append((document, place, written.resource))


def _may_meet(one: PolicyDocument, other: PolicyDocument) -> bool:
    """Whether a device could be meant by both: no key of applies-to keeps them apart."""
    return all(
        set(wanted) & set(other.applies_to[key])
        for key, wanted in one.applies_to.items()
        if key in other.applies_to
    )
