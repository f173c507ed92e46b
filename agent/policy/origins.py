"""Which document, role, line and reason a value comes from."""

from __future__ import annotations

from collections.abc import Mapping

from agent.core.model import Origin
from agent.policy.document import Assigned, PolicyDocument
from agent.policy.merge import Contribution


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
