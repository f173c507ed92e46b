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
    device: str  #: the device id, public
    mailbox: str  #: the name of the mailbox that follows from it, public
    extra: Mapping[str, object] = field(default_factory=dict)


def enrolment_file(layout: Layout) -> StateFile[Enrolment]:
    """Where it is kept."""
    return StateFile(layout.state_file("enrolment"), Enrolment, "enrolment")


def membership(layout: Layout) -> Enrolment | None:
    """What is known of the enrolment; None before there was one. A damaged file counts as none, and stays."""
    try:
        return StateFile(layout.state_file("enrolment"), Enrolment, "enrolment", stay=True).read()
    except BookbagError:
        return None
