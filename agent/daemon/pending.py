"""An enrolment that is under way: the token that was used, until a person at the desk has assigned this
laptop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.store.statefile import StateFile


@dataclass(frozen=True, slots=True)
class Enrolment:
    """``stage``: ``made`` (nothing said yet), ``asked`` (the request is in the outbox), ``delivered`` (the
    host took it), ``refused`` (the token was used before), ``assigned``.
    """

    site: str
    token: str
    secret: bytes
    stage: str
    extra: Mapping[str, object] = field(default_factory=dict)


def enrolment_file(layout: Layout) -> StateFile[Enrolment]:
    """Where it is kept."""
    return StateFile(layout.state_file("enrolment"), Enrolment, "enrolment")


def stage(layout: Layout) -> str:
    """How far the enrolment is; "none" before there was one, "unknown" if its file is damaged."""
    try:
        pending = enrolment_file(layout).read()
    except BookbagError:
        return "unknown"
    return pending.stage if pending else "none"
