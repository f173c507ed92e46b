"""What a run would do, and what it did: plain values that the command line, the ledger and the tests
share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.core import exit_codes
from agent.core.model import Change, Outcome, Report, State
from agent.policy.bases.resource import Resource
from agent.policy.compiled import Item

#: Outcomes that are not as the school decided, and need a person.
FAILURES = frozenset((Outcome.FAILED, Outcome.NOT_EFFECTIVE, Outcome.BACKED_OFF, Outcome.REFUSED))
CHANGES = frozenset((Outcome.CHANGED, Outcome.HEALED, Outcome.RESTORED))
PRIVATE = "a private file"  #: all that is told of one that not everybody may read
_EVERYBODY_READS = 0o004


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to change: to apply what a policy wants, or to withdraw what none wants any more."""

    action: Literal["apply", "withdraw", "aside", "directory"]
    id: str
    resource: Resource | None  #: None for a directory, and for what was moved aside
    before: State | None
    after: State | None
    item: Item | None = None  #: what the policy said, when applying
    healing: bool = False  #: it had been in force under this policy
    ours: bool = True  #: withdrawing: nobody else changed it since
    may_move: bool = False  #: applying: what is in the way of a file came after policy did

    @property
    def setting(self) -> str:
        """The setting it belongs to, if any."""
        return self.item.setting if self.item else ""

    def change(self) -> Change:
        """The same, as the value that other rooms know."""
        return Change(self.id, self.before, self.after)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change that `apply` would make now, and how everything else stands."""

    fingerprint: str
    steps: tuple[Step, ...]
    reports: tuple[Report, ...]
    #: Resources that are in force, or can be released, without a change: only the journal has to learn it.
    adopt: tuple[tuple[Resource, State | None], ...] = ()
    release: tuple[str, ...] = ()
    #: Resource → digest of what lies there: as policy wants it by now, though somebody else put it there. It
    #: is policy that keeps it so, and so it is ours to undo.
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether applying would change nothing."""
        return not self.steps

    @property
    def hash(self) -> str:
        """64 hex over the policy, and every change from what to what: the same only if the machine did
        not move.
        """
        rows = sorted(
            f"{step.action} {step.id} {digest(step.before)} {digest(step.after)}" for step in self.steps
        )
        return hashlib.sha256("\n".join([self.fingerprint, *rows]).encode()).hexdigest()

    @property
    def exit_code(self) -> int:
        """2 if there is something to change or waiting, 4 if something cannot be as decided; both add up."""
        pending = bool(self.steps) or any(report.outcome is Outcome.PENDING for report in self.reports)
        failed = any(report.outcome in FAILURES for report in self.reports)
        return (exit_codes.CHANGED if pending else 0) | (exit_codes.FAILED if failed else 0)

    def to_dict(self) -> dict[str, object]:
        """For ``--json`` and the control socket; contents are described, not copied."""
        steps = [
            {
                "resource": step.id,
                "setting": step.setting,
                "action": step.action,
                "from": describe(step.before),
                "to": describe(step.after),
                **({"chosen": True} if step.item is not None and step.item.chosen else {}),
            }
            for step in self.steps
        ]
        return {"hash": self.hash, "changes": steps, "reports": [report_dict(one) for one in self.reports]}


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did, by what was read back afterwards."""

    reports: tuple[Report, ...]
    done: tuple[Report, ...] = ()  #: those of `reports` that come from steps taken
    retry_at: int = 0  #: trusted time when something that was backed off may be tried again; 0: nothing waits

    @property
    def changed(self) -> tuple[Report, ...]:
        """What was changed, healed or put back."""
        return tuple(report for report in self.done if report.outcome in CHANGES)

    @property
    def failed(self) -> tuple[Report, ...]:
        """What is not as decided."""
        return tuple(report for report in self.reports if report.outcome in FAILURES)

    @property
    def exit_code(self) -> int:
        """2 changes made or under way, 4 something is not as decided; both add up; else 0."""
        waits = any(report.outcome is Outcome.NOT_YET for report in self.reports)
        moved = self.changed or waits
        return (exit_codes.CHANGED if moved else 0) | (exit_codes.FAILED if self.failed else 0)

    def to_dict(self) -> dict[str, object]:
        """For ``--json``, status and the control socket."""
        return {"reports": [report_dict(one) for one in self.reports], "retry_at": self.retry_at}


def report_dict(report: Report) -> dict[str, str]:
    """A report as JSON, empty fields left out."""
    full = {
        "resource": report.resource,
        "outcome": str(report.outcome),
        "code": report.code,
        "message": report.message,
        "setting": report.setting,
    }
    return {key: value for key, value in full.items() if value}


def digest(state: State | None) -> str:
    """16 bytes of SHA-256 over a state, in hex: equal for equal states, whatever holds them."""
    return hashlib.sha256(b"".join(_pieces(state))).hexdigest()[:32]


def _pieces(value: object) -> Iterator[bytes]:
    match value:
        case bytes() | bytearray():
            yield b"b%d:" % len(value)
            yield bytes(value)
        case str():
            data = value.encode(errors="surrogateescape")
            yield b"s%d:" % len(data)
            yield data
        case Mapping():
            yield b"{%d:" % len(value)
            for key in sorted(value):
                yield from _pieces(key)
                yield from _pieces(value[key])
        case list() | tuple():
            yield b"[%d:" % len(value)
            for one in value:
                yield from _pieces(one)
        case _:
            yield repr(value).encode() + b";"


def describe(state: object) -> str:
    """A state in a few words, for everybody's eyes: no content of files appears in it, and of a file that not
    everybody may read neither size nor hash, for whoever guesses could compare them.
    """
    if state is None:
        return "nothing"
    if not isinstance(state, Mapping):
        return str(state)
    if "kind" not in state:
        return ", ".join(f"{name}: {describe(value)}" for name, value in state.items())
    if state["kind"] != "file":
        return f"a {state['kind']}"
    content, mode = state.get("content", b""), state.get("mode")
    assert isinstance(content, bytes)  # noqa: S101
    if not isinstance(mode, int) or not mode & _EVERYBODY_READS:
        return PRIVATE
    attributes = "" if not state.get("xattrs") else ", with attributes"
    return (
        f"{len(content)} bytes (sha256 {hashlib.sha256(content).hexdigest()[:8]}), {mode:04o} "
        f"{state.get('owner')}:{state.get('group')}{attributes}"
    )
