"""What is said about this laptop, to anyone who asks and in a world-readable file: what holds, since when, on
whose word, how old.
"""

from __future__ import annotations

import json
import os

from agent import __version__
from agent.core import durable, exit_codes
from agent.daemon.loop import boottime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from agent.daemon.enforcing import Enforcing
    from agent.daemon.jobs import Jobs
    from agent.daemon.syncing import Syncing

    class Part(Protocol):
        """What each part of the supervisor has beside its own work."""

        name: str  #: in the status

        @property
        def error(self) -> dict[str, str] | None:
            """What is wrong."""
            ...

        def describe(self) -> dict[str, object]:
            """How it stands."""
            ...


VERSION = 1
#: What can be wrong while the laptop is as the school decided.
HARMLESS = ("sync", "returns", "content", "telemetry", "asks")
BAD = frozenset({"failed", "not-effective", "refused", "backed-off"})


def compose(
    enforcing: Enforcing,
    syncing: Syncing,
    jobs: Jobs,
    config_error: dict[str, str] | None,
    parts: Sequence[Part] = (),
) -> dict[str, object]:
    """The whole status. Ages and times to come are whole seconds as of now; ``exit`` is the exit code of
    `bookbag status`.
    """
    known = enforcing.known
    status: dict[str, object] = {
        "v": VERSION,
        "version": __version__,
        "site": syncing.config.get("site", ""),
        "device": syncing.config.get("device", ""),
        "enrolment": known.get("enrolment") or syncing.config.get("enrolment", "unknown"),
        "groups": known.get("groups", {}),
        "outcomes": known.get("outcomes", {}),
        "exceptions": known.get("exceptions", []),
        "healed": known.get("healed", []),
        "refusals": known.get("refusals", []),
        "notes": known.get("notes", []),
        "fingerprint": known.get("fingerprint", ""),
        "enforced_ago_s": _ago(enforcing.acted_since),
        "word": _word(enforcing),
        "clock": _clock(enforcing),
        "simulated": known.get("simulated", False),
        "recovering": known.get("recovering", False),
        "pause": enforcing.pause,
        "sync": {
            "urls": syncing.config.get("urls", []),
            "source": syncing.from_url,
            "good_ago_s": _ago(syncing.last_good),
            "tried_ago_s": _ago(syncing.last_tried),
            "next_in_s": syncing.due_in,
            "poll_s": int(syncing.poll),
        },
        "watch": {"paths": enforcing.watched, "lost": enforcing.lost},
        "workers": {name: health.to_dict() for name, health in jobs.health.items() if health.runs},
    }
    status.update({part.name: part.describe() for part in parts})
    errors = [
        {"about": about, **error}
        for about, error in (
            *((part.name, part.error) for part in parts),
            ("configuration", config_error),
            ("enforcement", enforcing.problem),
            ("news", known.get("problem")),
            ("sync", syncing.error),
            ("returns", syncing.undelivered),
        )
        if isinstance(error, dict)
    ]
    status["errors"] = errors
    status["exit"] = _exit(status)
    return status


def headline(status: dict[str, object]) -> str:
    """One line for the service manager."""
    outcomes = status["outcomes"]
    assert isinstance(outcomes, dict)  # noqa: S101  # made above
    count = sum(number for number in outcomes.values() if isinstance(number, int))
    bad = sum(outcomes.get(name, 0) for name in BAD)
    text = f"{count} settings, {bad} with trouble" if count else f"enrolment: {status['enrolment']}"
    if status["pause"]:
        text += ", paused"
    commands = status.get("commands")
    if isinstance(commands, dict) and commands.get("locked"):
        text += ", locked"
    word = status["word"]
    if isinstance(word, dict):
        text += f"; word is {word['age_s'] // 3600} h old" + (" and expired" if word["expired"] else "")
    return text


class Snapshot:
    """Writes the status to ``path`` for everyone to read; nothing is written while nothing but ages
    changed.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._last = ""

    def write(self, status: dict[str, object]) -> None:
        """Replace the file whole, or raise OSError and leave it. Not fsynced: after a power cut the next
        start writes a new one.
        """
        lasting = json.dumps(
            {
                name: value
                for name, value in status.items()
                if name not in ("enforced_ago_s", "sync", "telemetry", "content", "workers", "clock", "word")
            }
        )
        sync = status["sync"]
        assert isinstance(sync, dict)  # noqa: S101  # made above
        lasting += str((sync["source"], sync["good_ago_s"] is None, status["word"] is None))
        content = status.get("content")
        lasting += str(content.get("counts") if isinstance(content, dict) else "")
        if lasting == self._last:
            return
        draft = f"{self._path}.new"
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            os.fchmod(fd, 0o644)
            data = json.dumps(status, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"
            durable.write_all(fd, data)  # a disk that is nearly full takes a part, and says so only then
        finally:
            os.close(fd)
        os.rename(draft, self._path)
        self._last = lasting


def _exit(status: dict[str, object]) -> int:
    outcomes = status["outcomes"]
    if not isinstance(outcomes, dict):
        return exit_codes.FAILED
    code = 0
    if outcomes.get("pending") or outcomes.get("not-yet"):
        code |= exit_codes.CHANGED
    errors = status["errors"]
    assert isinstance(errors, list)  # noqa: S101  # made above
    # A laptop that reaches no network is offline, not ill.
    ill = any(error["about"] not in HARMLESS for error in errors)
    if ill or any(outcomes.get(name) for name in BAD):
        code |= exit_codes.FAILED
    return code


def _word(enforcing: Enforcing) -> dict[str, object] | None:
    """How old the school's word is, in trusted time."""
    word = enforcing.known.get("word")
    now = enforcing.trusted_now
    if not isinstance(word, dict) or now is None:
        return None
    signed, expires = word.get("signed_at"), word.get("expires")
    if not isinstance(signed, int) or not isinstance(expires, int):
        return None
    return {**word, "age_s": max(0, now - signed), "expired": now >= expires}


def _clock(enforcing: Enforcing) -> dict[str, object] | None:
    clock = enforcing.known.get("clock")
    return {**clock, "at": enforcing.trusted_now} if isinstance(clock, dict) else None


def _ago(moment: float) -> int | None:
    return int(boottime() - moment) if moment else None
