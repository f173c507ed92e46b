"""blocked-program: one program that nobody but administrators starts.

The file itself says so, and an override of dpkg's keeps it so when its package is upgraded. What the file was
is known from when it is blocked, not before: a program that is not installed is left out of everything until
it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.lacking import need
from agent.host.programs import FILE, OVERRIDES, Program, Programs
from agent.policy.bases.administration import ADMINISTRATORS
from agent.policy.bases.resource import Resource

NEED = "programs"
_YES, _NO = "yes", "no"
#: No bit that lends root's power, no list of others who may, no capability: administrators have sudo.
_ALONE: Final = Program(FILE, "root", ADMINISTRATORS, 0o750)
_RULE: Final = f"root {ADMINISTRATORS} 0750"
_EXECUTES = 0o111


@dataclass(frozen=True, slots=True)
class BlockedProgram(Resource):
    """``path``: of the file itself, no link to it."""

    kind: ClassVar[str] = "blocked-program"
    about: ClassVar[str] = "One program that only administrators can start."
    needs: ClassVar[tuple[str, ...]] = (NEED,)

    path: str

    @property
    def name(self) -> str:
        return self.path

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ORDINARY, ""  # it takes away only, and never what the laptop needs

    def lacking(self, host: Host) -> str:
        there = programs(host).find(self.path)
        if there is None or _is_ours(there):
            return ""
        if there.kind != FILE:
            return f"program of that very name: {self.path} is {there.kind}; name the file itself"
        if there.shared:
            return f"file that is {self.path} alone: it has other names, which would be closed with it"
        if not there.mode & _EXECUTES:
            return f"program there: nobody can start {self.path}"
        whole = programs(host).needed_by(self.path)
        return f"way to do without {self.path}: it is part of {whole}" if whole else ""

    # -- what should be, what is

    def desired(self) -> State | None:
        return {"blocked": _YES}

    def intended(self, before: State | None) -> State | None:
        return _closed(before) if _mapping(before, "file") else before

    def observe(self, host: Host) -> State | None:
        there, rules = programs(host).find(self.path), programs(host).overrides(self.path)
        return _whole(None if there is None else _state(there), rules)

    def guard(self, host: Host) -> None:
        if lacking := self.lacking(host):
            raise BookbagError("not-allowed", f"cannot block it: there is no {lacking}")

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        for name, rule in _mapping(after, "rules").items():
            programs(host).override(str(name), str(rule))
        file = _mapping(after, "file")
        if file and file != _mapping(before, "file"):
            programs(host).dress(self.path, _program(file))

    # -- undoing

    def adopts(self, seen: State | None) -> bool:
        return bool(_mapping(seen, "file"))

    def partly(self, now: State, prior: State) -> Iterator[tuple[State, State]]:
        """Its package went since; or was upgraded, and has given it back what only its own scripts do."""
        there = _mapping(now, "file")
        as_was = not there or there == _mapping(prior, "file")  # or we were cut off before it was changed
        if as_was or _is_ours(_program(there)):
            yield _closed(now), _without_ours(now, prior)

    def release(self, now: State | None, prior: State | None) -> State | None:
        return now if now is None or prior is None else _without_ours(now, prior)

    # -- where it is

    def claims(self) -> tuple[str, ...]:
        return (self.path,)

    def watches(self) -> tuple[str, ...]:
        return (self.path, OVERRIDES)


def programs(host: Host) -> Programs:
    """The machine's programs. Raises ``not-supported`` where no dpkg keeps them."""
    return need(host.programs, "programs")


def _is_ours(there: Program) -> bool:
    """Whether nobody starts it but administrators, whatever capability its package gave it again."""
    acl = any(name.startswith("system.") for name, _ in there.granting)
    return not acl and replace(there, granting=(), shared=False) == _ALONE


def _closed(state: State | None) -> State:
    """What we make of it."""
    return {"blocked": _YES, "file": _state(_ALONE), "rules": dict.fromkeys(_mapping(state, "rules"), _RULE)}


def _whole(file: State | None, rules: Mapping[str, object]) -> State:
    """Nobody starts what is not there."""
    ours = file is None or (_is_ours(_program(file)) and set(rules.values()) == {_RULE})
    return {"blocked": _YES if ours else _NO, "file": file, "rules": dict(rules)}


def _without_ours(now: State, prior: State) -> State:
    """What is there, without what we made of it; whatever somebody else made of it since, stays."""
    file, was, rules = _mapping(now, "file"), _mapping(prior, "file"), _mapping(prior, "rules")
    if file and was and _is_ours(_program(file)):
        file = {**was, "granting": {**_mapping(was, "granting"), **_mapping(file, "granting")}}
    left = {
        name: rules.get(name, "") if rule == _RULE else rule for name, rule in _mapping(now, "rules").items()
    }
    return _whole(file or None, left)


def _state(program: Program) -> State:
    if program.kind != FILE:
        return {"is": program.kind}
    return {
        "is": FILE,
        "owner": program.owner,
        "group": program.group,
        "mode": f"{program.mode:04o}",
        "granting": dict(program.granting),
    }


def _program(state: Mapping[str, object]) -> Program:
    if state["is"] != FILE:
        return Program(str(state["is"]))
    noted = _mapping(state, "granting").items()
    granting = tuple(sorted((str(name), value) for name, value in noted if isinstance(value, bytes)))
    return Program(FILE, str(state["owner"]), str(state["group"]), int(str(state["mode"]), 8), granting)


def _mapping(state: Mapping[str, object] | None, name: str) -> Mapping[str, object]:
    found = None if state is None else state.get(name)
    return found if isinstance(found, Mapping) else {}
