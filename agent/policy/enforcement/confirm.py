"""What may cut a laptop off from the school's service is on trial until the service is reached again: pure
rules.

=========  ==============================================  =========
stage      what happens                                    becomes
=========  ==============================================  =========
(none)     it is about to be applied                       applied
applied    the service is reached                          kept
applied    it was reached before; the link is up; it was   reverted
           missed three times, and five minutes are over
reverted   the service is reached, and a pause is over     applied
applied    … and it is the third revert                    contested
any        policy wants something else                     applied
=========  ==============================================  =========

Who pulls the cable is no evidence, and neither is a service that was out of reach before: then it stays, and
is confirmed at the next contact. Nothing is decided by a clock alone: a jump ahead still leaves three misses
to come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

GRACE_S = 300
MISSES = 3
REVERTS = 3
#: After a revert, and as often again after each further one.
PAUSE_S = 3600
#: How old the last contact may be, for the service to count as within reach.
FRESH_S = 3600

APPLIED, KEPT, REVERTED, CONTESTED = "applied", "kept", "reverted", "contested"


@dataclass(frozen=True, slots=True)
class Contact:
    """The newest try to reach the service. ``at``: when it began, trusted unix seconds."""

    at: int
    good: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """How one resource stands. Times are trusted unix seconds."""

    digest: str  #: of what is desired
    stage: str
    applied_at: int
    deadline: int  #: not reverted before; for what is reverted: not tried again before
    reachable_before: bool
    missed: int = 0
    reverts: int = 0
    heard_at: int = 0  #: the newest contact that was counted


@dataclass(frozen=True, slots=True)
class Trials:
    """The state file ``trials``."""

    trials: Mapping[str, Trial] = field(default_factory=dict)
    own: tuple[str, ...] = ()  #: host names of the service, to know them after a restart too
    extra: Mapping[str, object] = field(default_factory=dict)


def begun(
    old: Trial | None, digest: str, contact: Contact | None, *, linked: bool, healing: bool, now: int
) -> Trial:
    """The trial of what is about to be applied; to be durable before that. ``healing``: it was in force once,
    so what was kept needs no other trial.
    """
    if old is not None and old.digest == digest:
        if old.stage == KEPT and healing:
            return old
        if old.stage == APPLIED:
            return replace(old, applied_at=now, deadline=now + GRACE_S, missed=0)
    before = linked and contact is not None and contact.good and now - contact.at <= FRESH_S
    return Trial(digest, APPLIED, now, now + GRACE_S, before)


def judged(trial: Trial, contact: Contact | None, *, linked: bool, now: int) -> Trial:
    """The trial after the newest contact, each of which counts once."""
    if trial.applied_at > now:  # written by a clock that is no longer believed
        trial = replace(trial, applied_at=now, deadline=now + GRACE_S, heard_at=now)
    if contact is not None and contact.at > max(trial.applied_at, trial.heard_at):
        trial = _heard(replace(trial, heard_at=contact.at), contact, linked=linked, now=now)
    if trial.stage != APPLIED or not trial.reachable_before or not linked:
        return trial
    if trial.missed < MISSES or now < trial.deadline:
        return trial
    reverts = trial.reverts + 1
    stage = CONTESTED if reverts >= REVERTS else REVERTED
    return replace(trial, stage=stage, reverts=reverts, deadline=now + PAUSE_S * reverts)


def _heard(trial: Trial, contact: Contact, *, linked: bool, now: int) -> Trial:
    if trial.stage == APPLIED and contact.good:
        return replace(trial, stage=KEPT, missed=0)
    if trial.stage == APPLIED and linked:
        return replace(trial, missed=min(trial.missed + 1, MISSES))
    if trial.stage == REVERTED and contact.good and now >= trial.deadline:
        return replace(
            trial, stage=APPLIED, applied_at=now, deadline=now + GRACE_S, reachable_before=True, missed=0
        )
    return trial
