"""A wipe under way, written down a second time outside of what it erases.

Whoever takes the disk out can write there. So the copy counts only if this very laptop wrote it, and only for
what it is kept for: an erasure that was decided.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.commands.case import Case
from agent.core import jsontext, schema
from agent.core.errors import BookbagError
from agent.store import atomic
from agent.store.statefile import MAX_BYTES, MAX_NODES, StateFile
from agent.trust.identity import DeviceIdentity

KIND = "wipe"


@dataclass(frozen=True, slots=True)
class Copy:
    """What is written down. ``device``: which is to be erased, for the disk may outlive its enrolment."""

    case: Case
    device: str
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signed:
    """The state file ``wipe``. ``copy``: a `Copy` as canonical JSON; ``mac``: of exactly these bytes, by the
    laptop's identity. Not looked into before that is checked."""

    copy: str
    mac: str
    extra: Mapping[str, object] = field(default_factory=dict)


class Staged:
    """The copy in ``directory`` (on /boot): what decides is the book, but whoever loses the book after the
    decision must not lose the decision."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._file = StateFile(os.path.join(directory, "wipe.json"), Signed, "wipe")

    def put(self, case: Case, identity: DeviceIdentity) -> None:
        """Write it down, durably."""
        text = jsontext.canonical(schema.encode(Copy(case, identity.id)))
        atomic.make_dir(self._directory, mode=0o700)
        self._file.write(Signed(text.decode(), identity.mac(KIND, text)))

    def read(self, identity: DeviceIdentity) -> Case | None:
        """The decided wipe of this laptop that is under way; None if none is. A damaged copy counts as none:
        the book has it. So does one that somebody else wrote, be it a former life of this machine on a /boot
        that nobody formatted. Raises ``format-too-new`` and what the disk does."""
        try:
            found = self._file.read()
        except BookbagError as problem:
            if problem.code != "state-corrupt":
                raise
            return None
        if found is None:
            return None
        text = found.copy.encode()
        if not hmac.compare_digest(found.mac.encode(), identity.mac(KIND, text).encode()):
            return None
        value = jsontext.parse(text, what="wipe", max_bytes=MAX_BYTES, max_nodes=MAX_NODES)
        copy = schema.decode(Copy, value, what="wipe", keep_unknown=True)
        mine = copy.device == identity.id and copy.case.kind == KIND and copy.case.decided
        return copy.case if mine else None

    def remove(self) -> None:
        """It is over."""
        if os.path.isdir(self._directory):
            self._file.remove()
