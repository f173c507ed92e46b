"""What others put in the place of a managed file, and no file can be written over without losing it: a
folder, or a file too large to be read. Whoever may write in that directory can make one there.

It is moved aside in one rename, under a name beside it, so that nothing of it is lost; the journal knows of
it first. An empty folder is removed. What was there when policy first came is never moved: a policy that
names a folder is mistaken, and says so. On withdrawal it gets its place back, if nothing has that by then.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.core.errors import BookbagError
from agent.core.model import Outcome, Report, State
from agent.policy.bases.filestate import in_the_way, look
from agent.policy.enforcement.plan import Step, describe

if TYPE_CHECKING:
    from agent.core.ports import Undo
    from agent.host.base import Host

ASIDE = "aside:"
#: Of one resource; beyond, a person has to look who does that, and why.
MOST = 8
_MARK = ".bookbag-aside-"
_LONGEST = 200  #: bytes of a name


def records(undo: Undo) -> Iterator[tuple[str, str, str]]:
    """(journal's name, path beside, path whose place it had) of everything that was moved aside."""
    for name in undo.resources():
        if name.startswith(ASIDE):
            prior, _ = undo.prior(name)
            if prior is not None:
                yield name, name.removeprefix(ASIDE), str(prior["from"])


def may_move(prior: State | None, seen: State | None) -> bool:
    """Whether what is in the way came after policy did."""
    return in_the_way(seen) and not in_the_way(prior)


def make_way(host: Host, undo: Undo, step: Step) -> str:
    """Move what is in the way of ``step`` aside; returns what to tell about it. Raises ``bad-path`` where
    that may not be.
    """
    resource = step.resource
    assert resource is not None  # noqa: S101
    told = []
    for path in resource.paths():
        state = look(host, path)
        if not in_the_way(state):
            continue
        if not step.may_move:
            raise BookbagError(
                "bad-path",
                f"cannot manage this path: {describe(state)} was there before any policy",
                place=path,
                remedy="remove it by hand, or choose another path",
            )
        host.files.remove_empty([path])
        if look(host, path) is not None:
            told.append(f"{describe(state)} was in its place and now is {_move(host, undo, path)}")
    return "; ".join(told)


def _move(host: Host, undo: Undo, path: str) -> str:
    before = [
        beside for _, beside, owner in records(undo) if owner == path and look(host, beside) is not None
    ]
    if len(before) >= MOST:
        raise BookbagError(
            "bad-path",
            f"cannot put it back: something is in its place again, and {MOST} such things lie beside it",
            place=path,
            remedy=f"remove or rename what is called {os.path.basename(before[0])} and the like",
        )
    folder, _, name = path.rpartition("/")
    if len(name.encode(errors="surrogateescape")) > _LONGEST:
        name = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
    # Hidden, so that no program that reads every file of a folder takes it for one of its own; and of a name
    # that nobody can have taken.
    beside = f".{name}{_MARK}{os.urandom(4).hex()}"
    undo.remember({f"{ASIDE}{folder}/{beside}": {"from": path}})
    host.files.rename_beside(path, beside)
    return f"{folder}/{beside}"


def give_back(host: Host, step: Step) -> Report:
    """What was moved aside gets its place back, unless something has it."""
    beside = step.id.removeprefix(ASIDE)
    assert step.after is not None  # noqa: S101
    path = str(step.after["from"])
    if look(host, path) is not None:
        return Report(
            step.id, Outcome.KEPT, "", f"it had the place of {path}, which is taken; it stays as it is"
        )
    host.files.rename_beside(beside, os.path.basename(path))
    return Report(step.id, Outcome.RESTORED, "", f"it is {path} again")
