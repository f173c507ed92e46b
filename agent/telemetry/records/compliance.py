"""compliance: whether the laptop is as the school decided, in counts and codes, never in values."""

from __future__ import annotations

from agent.core.errors import CODES
from agent.core.model import Outcome
from agent.telemetry.declaration import Choice, Counts, Field, Flag, Record, Rows, Token, Whole
from agent.telemetry.dropped import REASONS

_HOUR = 3600
_MIB = 1 << 20
#: A setting's key, or the kind of a resource that has none; then the code.
_KEY = r"[a-z0-9-]{1,32}(\.[a-z0-9-]{1,32}){0,3}"
_ROW = _KEY + " [a-z-]{1,32}"
#: The same, then a count: tens at least, lest a child be told on who tried something once.
_HEALS = _KEY + " [1-9][0-9]{0,5}0"
#: The parts of Bookbag that may fail; a part that is not listed here counts as other.
_WORKERS = (
    "command",
    "configure",
    "content",
    "enforce",
    "enrol",
    "erase",
    "explain",
    "other",
    "sync",
    "telemetry",
)

RECORD = Record(
    name="compliance",
    about="Whether the school's settings are in force here, and whether Bookbag itself is well.",
    purpose="So that IT sees a setting that does not work without having to ask the student.",
    audience="the school's IT desk",
    retention_days=180,
    held_days=30,
    value=4,
    signal="logs",
    fields=(
        Field(
            "outcomes",
            Counts(tuple(sorted(map(str, Outcome))), 10_000),
            "How many settings and resources stand how; of what students chose from an offer, and of "
            "packages that go, nothing.",
            "To see whether the school's decisions hold.",
            "bookbag.outcomes",
        ),
        Field(
            "exceptions",
            Rows(_ROW, "the key of a setting and an error code", 20),
            "Which settings are not in force, and the error code. Never their values.",
            "To mend the setting or the laptop.",
            "bookbag.exceptions",
        ),
        Field(
            "healed",
            Rows(_HEALS, "the key of a setting and how often, in tens; below ten nothing is told", 20),
            "Which settings something changes again and again, so that they are put back each time.",
            "To find the program that works against a setting, or a setting that nobody can live with.",
            "bookbag.healed",
        ),
        Field(
            "refusals",
            Counts(tuple(CODES), 1000, rest="internal", what="[error code](errors.md)"),
            "How many of the school's own documents were refused, by error code.",
            "To mend the document.",
            "bookbag.refusals",
        ),
        Field(
            "fingerprint",
            Token("[0-9a-f]{16}", "16 hex characters"),
            "A hash of the policy in force.",
            "To see whether the newest policy has arrived.",
            "bookbag.policy.fingerprint",
        ),
        Field(
            "word-age",
            Whole(0, 4000 * 24 * _HOUR, _HOUR),
            "How old the school's newest word is that arrived here.",
            "A laptop without news for weeks needs a stick.",
            "bookbag.word.age",
            "s",
        ),
        Field(
            "word-expired",
            Flag(),
            "Whether that word has passed its date.",
            "Then nothing new is taken until there is news.",
            "bookbag.word.expired",
        ),
        Field(
            "overdue",
            Whole(0, 1000),
            "How many policies should have been reviewed by now.",
            "To review them.",
            "bookbag.policy.overdue",
        ),
        Field(
            "clock",
            Choice(("good", "suspect")),
            "Whether the laptop's clock can be right.",
            "A dead clock battery shows here.",
            "bookbag.clock.quality",
        ),
        Field(
            "recovering",
            Flag(),
            "Whether the laptop has lost its memory of what it accepted.",
            "Two persons must let it back.",
            "bookbag.recovering",
        ),
        Field(
            "paused",
            Flag(),
            "Whether an administrator has paused the mending of settings.",
            "A pause that is forgotten shows here.",
            "bookbag.paused",
        ),
        Field(
            "locked",
            Flag(),
            "Whether the laptop is locked.",
            "To see that a lock, or its end, has arrived.",
            "bookbag.lock.locked",
        ),
        Field(
            "lock-grade",
            Whole(0, 4),
            "How much the lock is worth: 0 screen only, 4 firmware too.",
            "To know what a lost laptop still gives away.",
            "bookbag.lock.grade",
        ),
        Field(
            "worker-failures",
            Counts(_WORKERS, 10_000, rest="other"),
            "How often each part of Bookbag died or hung since the last start.",
            "To mend Bookbag.",
            "bookbag.worker.failures",
        ),
        Field(
            "content-here",
            Whole(0, 1 << 50, _MIB),
            "How much of the school's learning content is here. Not which, nor what was read.",
            "To see that lessons can be given offline.",
            "bookbag.content.here",
            "By",
        ),
        Field(
            "content-missing",
            Whole(0, 1 << 50, _MIB),
            "How much of it is not here, for whatever reason.",
            "To see that lessons can be given offline.",
            "bookbag.content.missing",
            "By",
        ),
        Field(
            "dropped",
            Counts(REASONS, 1_000_000),
            "How many reports were never delivered since the laptop was set up, and why.",
            "To know what is missing from these numbers.",
            "bookbag.reports.dropped",
        ),
        Field(
            "collectors-resting",
            Rows("[a-z]{1,24}", "the name of a part of Bookbag that collects", 20),
            "Which parts that collect these numbers failed or were slow, and are left out for now.",
            "To tell a number that is missing from one that is nought.",
            "bookbag.collectors.resting",
        ),
    ),
)
