"""Which document, role, line and reason a value comes from, and what a document asks for in all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.core.model import Origin
from agent.policy.bases.resource import Resource
from agent.policy.document import Assigned, PolicyDocument
from agent.policy.merge import Contribution


@dataclass(frozen=True, slots=True)
class Asked:
    """One resource that a document comes to by itself: written directly, or compiled from a setting."""

    resource: Resource
    setting: str  #: the setting's key, or ""
    place: str  #: file:line:column

    @property
    def name(self) -> str:
        """What the document calls it."""
        return self.setting or self.resource.id


def asked(document: PolicyDocument) -> Iterator[Asked]:
    """Every resource that ``document`` alone leads to, with the place that asks for it."""
    for one in document.settings:
        for resource in one.setting.resources(one.value):
            yield Asked(resource, one.setting.key, str(one.place))
    for written in document.resources:
        for resource in (*written.resource.brings(), written.resource):
            yield Asked(resource, "", str(written.place))


def contribution(document: PolicyDocument, one: Assigned) -> Contribution:
    """What ``document`` says about one setting."""
    made = origin(document, one.setting.key, one.place.line, one.why)
    return Contribution(one.value, made, one.final, document.source.power)


def origin(document: PolicyDocument, setting: str, line: int, why: Mapping[str, str]) -> Origin:
    """Where something of ``document`` stands, and who answers for it."""
    source = document.source
    return Origin(
        policy=document.id,
        role=source.role,
        rank=document.rank,
        owner=document.owner,
        file=source.file,
        line=line,
        setting=setting,
        why=dict(why),
    )
