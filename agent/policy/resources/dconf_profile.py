"""dconf-profile: the desktop consults our database, and does so before every other one of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.filestate import lines_of, look, part, put, text_file
from agent.policy.bases.resource import Resource

DATABASE = "bookbag"
PATH = "/etc/dconf/profile/user"
LINE = f"system-db:{DATABASE}"
_USER = "user-db:user"


@dataclass(frozen=True, slots=True)
class DconfProfile(Resource):
    """One line of the profile that every session reads; the other lines are someone else's and stay."""

    kind: ClassVar[str] = "dconf-profile"
    about: ClassVar[str] = (
        "The line in /etc/dconf/profile/user through which forced desktop settings are read."
    )
    needs: ClassVar[tuple[str, ...]] = ("dconf",)

    profile: str = "user"

    @property
    def name(self) -> str:
        return self.profile

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(profile=name)

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""

    def desired(self) -> State | None:
        return {"first": True, "file": None}

    def intended(self, before: State | None) -> State | None:
        return {"first": True, "file": _with_line(part(before, "file"))}

    def observe(self, host: Host) -> State | None:
        there = look(host, PATH)
        return {"first": _databases(there)[:1] == [LINE], "file": there}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        put(host, PATH, part(after, "file"))

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Someone edited the profile since: only our line goes."""
        there = part(now, "file")
        if there is None or there["kind"] != "file":
            return now
        lines = [line for line in _lines(there) if line.strip() != LINE]
        return {"first": False, "file": {**there, "content": _text(lines)}}

    def paths(self) -> tuple[str, ...]:
        return (PATH,)


def _lines(state: State | None) -> list[str]:
    content = state["content"] if state and state["kind"] == "file" else b""
    return lines_of(content.decode(errors="surrogateescape")) if isinstance(content, bytes) else []


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")


def _databases(state: State | None) -> list[str]:
    """The machine-wide databases in the order they are consulted."""
    return [line.strip() for line in _lines(state) if line.strip().startswith(("system-db:", "file-db:"))]


def _with_line(there: State | None) -> State:
    """The profile with our line right after the user's own database, so that no other one comes before."""
    lines = [line for line in _lines(there) if line.strip() != LINE]
    users = [index for index, line in enumerate(lines) if line.strip().startswith("user-db:")]
    if not users:
        lines.insert(0, _USER)
        users = [0]
    lines.insert(users[-1] + 1, LINE)
    if there is None or there["kind"] != "file":
        return text_file(_text(lines).decode())
    return {**there, "content": _text(lines)}
