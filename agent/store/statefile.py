"""Typed state files: one path, one dataclass. Absent is None; damaged is an error, once, and the file is set
aside.

On disk: JSON ``{"data": …, "kind": …, "sha256": …, "v": …}``, where sha256 is that of the canonical form of
the other three. That envelope is the same in every version, so that an older reader can tell "too new" from
"damaged".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Generic, TypeVar

from agent.core import jsontext, schema
from agent.core.errors import BookbagError
from agent.store import atomic

T = TypeVar("T")

MAX_BYTES = 8 << 20
MAX_NODES = 400_000


class StateFile(Generic[T]):
    """The file at ``path`` holding one ``cls``. ``kind`` names the format, ``v`` is its major version.

    Keys that a newer minor version added are kept if ``cls`` has an ``extra`` field, else passed over. With
    ``stay``, a damaged file stays where it is, for those to whom "absent" would be the wrong conclusion.
    """

    def __init__(
        self, path: str, cls: type[T], kind: str, *, v: int = 1, mode: int = 0o600, stay: bool = False
    ) -> None:
        self.path = path
        self._cls = cls
        self._kind = kind
        self._v = v
        self._mode = mode
        self._stay = stay

    def read(self) -> T | None:
        """What was last written; None if nothing ever was.

        Raises ``state-corrupt`` for a zero-byte, truncated, altered or foreign file, which is then set aside
        as ``.corrupt`` (so the next read gives None); ``format-too-new``, which leaves the file alone.
        """
        try:
            data = atomic.read(self.path, max_bytes=MAX_BYTES)
            return None if data is None else self._open(data)
        except BookbagError as problem:
            if problem.code not in ("bad-json", "too-large", "bad-path"):
                raise
            raise corrupt(self.path, self._kind, problem.message, stay=self._stay) from problem

    def write(self, value: T) -> None:
        """Replace the file durably. Raises ``disk-full`` and leaves the old one."""
        record: dict[str, object] = {"data": schema.encode(value), "kind": self._kind, "v": self._v}
        record["sha256"] = _digest(record)
        atomic.write(self.path, jsontext.pretty(record).encode("utf-8"), mode=self._mode)

    def remove(self) -> None:
        """Make it absent, durably."""
        atomic.remove(self.path)

    def _open(self, data: bytes) -> T:
        record = jsontext.parse(data, what=self.path, max_bytes=MAX_BYTES, max_nodes=MAX_NODES)
        if not isinstance(record, dict) or record.get("kind") != self._kind:
            raise BookbagError("bad-json", f"this is no {self._kind} file")
        found = record.get("v")
        if type(found) is not int or found < 1:
            raise BookbagError("bad-json", "it carries no version")
        if record.get("sha256") != _digest(record):
            raise BookbagError("bad-json", "its checksum does not match")
        if found > self._v:
            raise BookbagError(
                "format-too-new",
                f"cannot read this {self._kind} file: it is format {found}, and this is read up to {self._v}",
                place=self.path,
                remedy="update Bookbag",
            )
        return schema.decode(self._cls, record.get("data"), what=self.path, keep_unknown=True)


def corrupt(path: str, kind: str, why: str, *, stay: bool = False) -> BookbagError:
    """The ``state-corrupt`` error about the file at ``path``, which is set aside, unless it shall
    ``stay``."""
    try:
        remedy = "" if stay else f"it was set aside as {atomic.set_aside(path)}"
    except BookbagError as problem:
        remedy = f"it could not be set aside: {problem.message}"
    return BookbagError("state-corrupt", f"cannot trust this {kind} file: {why}", place=path, remedy=remedy)


def _digest(record: Mapping[str, object]) -> str:
    covered = {key: record.get(key) for key in ("data", "kind", "v")}
    return hashlib.sha256(jsontext.canonical(covered)).hexdigest()
