"""What this laptop enforces, between two runs of the enforce worker: which generation, which compiled policy,
on whose word.

All of it can be had again from the newest generation, which is the truth; this file only makes an audit
cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.daemon.schedule import MAX_PAUSE
from agent.policy.enforcement.confirm import Trials
from agent.store.statefile import StateFile


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something was not taken. ``subject``: a role, a document, an order, or "news" for all of it."""

    subject: str
    code: str
    message: str
    place: str = ""
    remedy: str = ""

    @classmethod
    def of(cls, subject: str, problem: BookbagError) -> Trouble:
        """An error as it is remembered."""
        return cls(subject, problem.code, problem.message[:1000], problem.place[:500], problem.remedy[:500])

    def to_dict(self) -> dict[str, object]:
        """For status."""
        full = {
            "subject": self.subject,
            "code": self.code,
            "message": self.message,
            "place": self.place,
            "remedy": self.remedy,
        }
        return {name: value for name, value in full.items() if value}


@dataclass(frozen=True, slots=True)
class Enforced:
    """The state file ``enforcement``. Times are unix seconds; "" and 0 where there is nothing yet."""

    generation: str = ""  #: the folder's name below layout.generations
    fingerprint: str = ""  #: of the compiled policy
    program: str = ""  #: the version of Bookbag that compiled it
    site: str = ""
    device: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)  #: school, year, class
    signed_at: int = 0
    expires: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)
    refusals: tuple[Trouble, ...] = ()  #: what the newest word held that was not taken
    recovering_since: int = 0
    orders: str = ""  #: tells one set of orders in the mailbox from another; "": there are none to obey
    seen: str = ""  #: which mirror was looked at last
    problem: Trouble | None = None  #: why the newest word was not taken at all
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """The state file ``pause``: nothing is changed until ``until`` (boottime, seconds) of boot ``boot_id``,
    or, where that is "", until somebody ends it: on a laptop that was in use before, what is there is looked
    at first.
    """

    until: int
    boot_id: str
    reason: str
    uid: int
    extra: Mapping[str, object] = field(default_factory=dict)

    def left(self, boottime: int, boot_id: str) -> int | None:
        """Seconds still to go, None where only somebody ends it. A restart ends every other pause, and none
        of those was ever allowed to be longer than MAX_PAUSE.
        """
        if not self.boot_id:
            return None
        left = self.until - boottime
        return left if boot_id == self.boot_id and 0 < left <= MAX_PAUSE else 0


def enforced_file(layout: Layout) -> StateFile[Enforced]:
    """Where `Enforced` is kept."""
    return StateFile(layout.state_file("enforcement"), Enforced, "enforcement")


def pause_file(layout: Layout) -> StateFile[Pause]:
    """Where `Pause` is kept."""
    return StateFile(layout.state_file("pause"), Pause, "pause")


def trials_file(layout: Layout) -> StateFile[Trials]:
    """Where is kept what waits for the service to be reached."""
    return StateFile(layout.state_file("trials"), Trials, "trials")


def compiled_path(layout: Layout) -> str:
    """Where the compiled policy is cached."""
    return layout.state_file("compiled")
