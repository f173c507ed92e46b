"""The plain values that rooms hand to each other: states, changes, plans, outcomes, receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

#: None, bool, int, str, bytes, or a tuple, list or str-keyed mapping of Values. Never a float.
Value = object
#: What a resource is, or should be: plain named Values. None means "nothing is there".
State = Mapping[str, Value]


class Power(StrEnum):
    """Who may ask for a resource (I-7): anyone with a policy role, or only two persons of a power role."""

    ORDINARY = "ordinary"
    ROOT = "root"


class Mode(StrEnum):
    """Whether a policy changes the machine or only reports what it would change."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class Outcome(StrEnum):
    """How one resource stands after a run, decided by the engine from what it read back."""

    IN_FORCE = "in-force"  #: as desired; nothing was done
    CHANGED = "changed"  #: was different for the first time under this policy; is now as desired
    HEALED = "healed"  #: had been in force, drifted, and is again as desired
    PENDING = "pending"  #: differs; this run only planned, or its policy only observes
    NOT_YET = (
        "not-yet"  #: asked of somebody who takes their time: a download, an installation, the right hour
    )
    NOT_EFFECTIVE = "not-effective"  #: written, but the user sees something else
    NOT_SUPPORTED = "not-supported"  #: this machine lacks the capability
    UNMET = "unmet"  #: looked for and not found, and nothing here can make it so
    REFUSED = "refused"  #: not acceptable from where it came (I-7), with the reason
    OVERRULED = "overruled"  #: contradicts something else that is signed, which holds; decided by rule
    FAILED = "failed"  #: applying or reading back failed
    BACKED_OFF = "backed-off"  #: flapping; left alone until its pause is over
    RESTORED = "restored"  #: no policy asks any more; the prior state is back
    KEPT = "kept"  #: no policy asks any more, but someone else changed it since; left alone and reported


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a desired value comes from: enough to answer "who asked for this, and why"."""

    policy: str
    role: str
    rank: str
    owner: str
    file: str
    line: int
    setting: str  #: the setting's key, or "" for a resource written directly
    why: Mapping[str, str] = field(default_factory=dict)  #: language code → sentence


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that differs: what is there, and what should be."""

    resource: str
    before: State | None
    after: State | None


@dataclass(frozen=True, slots=True)
class Report:
    """How one resource stands, in words and codes that status, ledger and telemetry share."""

    resource: str
    outcome: Outcome
    code: str = ""
    message: str = ""
    setting: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger: something that was decided, done or refused. Chained by hash once stored."""

    kind: str  #: e.g. "policy", "heal", "refusal", "enrol", "assign", "restore", "pause"
    subject: str
    outcome: str
    code: str = ""
    message: str = ""
    at: int = 0  #: trusted time, unix seconds
    detail: Mapping[str, Value] = field(default_factory=dict)
