"""Checks the policy documents of the folder: each by the language's rules, all of them together, and their
review dates."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.clock import day
from agent.core.errors import BookbagError
from agent.fleet.finding import Finding
from agent.fleet.folder import Folder
from agent.fleet.records import SiteRecord
from agent.policy.desk.check import check_documents
from agent.policy.document import Source, read_document
from agent.policy.syntax.problems import Problems


def check(folder: Folder, site: SiteRecord, now: int) -> Iterator[Finding]:
    """Every finding in ``policies/`` and ``power/``."""
    found: list[Source] = []
    for file in folder.document_files():
        try:
            one = folder.document(file)
        except BookbagError as error:
            yield Finding.of(error, place=file)
            continue
        role = site.roles.get(one.role)
        if role is None:
            yield Finding(
                file,
                "not-found",
                f"cannot publish it: site.yaml has no role {one.role!r}",
                f"there are: {', '.join(sorted(site.roles)) or 'none'}",
            )
            continue
        if one.power and not role.power:
            yield Finding(
                file,
                "root-power",
                f"cannot publish it: site.yaml gives {one.role} no power",
                "move it to policies/, or set power: true and name two persons",
            )
        if not role.ranks:
            yield Finding(
                file,
                "not-allowed",
                f"cannot publish it: site.yaml gives {one.role} no rank to speak for",
                "move it to another role, or give this one ranks",
            )
        found.append(Source(file, one.data, one.role, one.power, role.ranks or None))  # none was just told
    for problem in check_documents(found):
        yield Finding(problem.place, problem.code, problem.message, problem.remedy)
    for source in found:
        yield from _review(source, now)


def sources(folder: Folder, site: SiteRecord) -> list[Source]:
    """Every document that would be published, with what its role entitles it to. Raises BookbagError for
    the first file that cannot be read."""
    return [
        Source(one.file, one.data, one.role, one.power, site.roles[one.role].ranks)
        for one in folder.documents()
        if one.role in site.roles
    ]


def _review(source: Source, now: int) -> Iterator[Finding]:
    document = read_document(source, Problems())
    if document is not None and document.review_by < day(now):
        yield Finding(
            source.file,
            "overdue",
            f"its review was due by {document.review_by}",
            f"{document.owner} looks at it again and moves review-by",
            blocks=False,
        )
