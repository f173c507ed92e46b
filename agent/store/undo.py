"""The undo journal: what was there before Bookbag changed it, and what Bookbag last left there.

A first policy changes a thousand things and each heal one, so this is a `BatchLog`: one durable write per
call, whatever its size, and none of what was written earlier is written again, except when dead records
outweigh the living. (Audits read it too, and could not afford importing sqlite3.) Records: P prior, W last
written, F forgotten.

Bytes in a state are stored as ``{"base64": "…"}``; a mapping with only that key, or only ``mapping``, as
``{"mapping": {…}}``. Lists come back as tuples.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from agent.core import jsontext
from agent.core.errors import BookbagError
from agent.core.model import State
from agent.store.batchlog import BatchLog, Damaged, Record

_WORTH_COMPACTING = 256 << 10  # bytes
_Kept = dict[str, dict[str, Record]]  # resource → kind → record, oldest resource first


class UndoJournal:
    """`agent.core.ports.Undo` in ``directory``.

    The first use after damage raises ``state-corrupt``: by then the damaged file is set aside and what was
    whole in it is in a new journal, with which the next call works.
    """

    def __init__(self, directory: str) -> None:
        self._log = BatchLog(f"{directory}/undo.log", "undo")
        self._kept: _Kept = {}
        self._size = 0  # bytes of payload in the file, dead ones included
        self._loaded = False

    def remember(self, priors: Mapping[str, State | None]) -> None:
        """Durably record the prior state of resources not yet in the journal; known ones keep theirs.

        One transaction: raises ``disk-full``, and none is recorded.
        """
        with self._log.locked():
            kept = self._load()
            self._add([_record("P", name, state) for name, state in priors.items() if name not in kept])

    def wrote(self, states: Mapping[str, State | None]) -> None:
        """Durably record what Bookbag last left there, in one transaction.

        Raises KeyError for a resource that was not remembered first, ``disk-full``.
        """
        with self._log.locked():
            kept = self._load()
            fresh = []
            for name, state in states.items():
                record, before = _record("W", name, state), kept[name].get("W")
                if before is None or before.payload != record.payload:
                    fresh.append(record)
            self._add(fresh)

    def prior(self, resource: str) -> tuple[State | None, State | None]:
        """(prior, last written) of ``resource``; before anything was written, what was last there is the
        prior.

        Raises KeyError if it is not in the journal, ``state-corrupt`` if its record is damaged.
        """
        kept = self._fresh()[resource]
        return _state(kept["P"]), _state(kept.get("W", kept["P"]))

    def resources(self) -> tuple[str, ...]:
        """Every resource in the journal, oldest first."""
        return tuple(self._fresh())

    def forget(self, *resources: str) -> None:
        """Durably drop records, after prior states were restored or given up, in one transaction (absent: no
        error)."""
        with self._log.locked():
            kept = self._load()
            self._add([Record("F", name, b"null") for name in resources if name in kept])

    def _fresh(self) -> _Kept:
        if not self._log.exists():
            return {}
        if self._loaded and not self._log.changed():
            return self._kept
        with self._log.locked():
            return self._load()

    def _load(self) -> _Kept:
        if not self._loaded or self._log.changed():
            try:
                records = self._log.load() or ()
            except Damaged as damage:
                remembered = {record.name for record in damage.whole if record.kind == "P"}
                whole = tuple(record for record in damage.whole if record.name in remembered)
                raise self._log.mend(Damaged(damage.why, whole)) from None
            self._kept = {}
            _take(self._kept, records)
            self._size = sum(len(record.payload) for record in records)
            self._loaded = True
        return self._kept

    def _add(self, records: list[Record]) -> None:
        if not records:
            return
        if self._log.exists() and not self._mostly_dead():
            self._log.append(records)
            _take(self._kept, records)
            self._size += sum(len(record.payload) for record in records)
            return
        kept = {name: dict(kinds) for name, kinds in self._kept.items()}
        _take(kept, records)
        living = _living(kept)
        self._log.replace(living)
        self._kept, self._size = kept, sum(len(record.payload) for record in living)

    def _mostly_dead(self) -> bool:
        if self._size < _WORTH_COMPACTING:
            return False
        return self._size > 2 * sum(len(record.payload) for record in _living(self._kept))


def _take(kept: _Kept, records: Iterable[Record]) -> None:
    for record in records:
        if record.kind == "F":
            kept.pop(record.name, None)
        else:
            kept.setdefault(record.name, {})[record.kind] = record


def _living(kept: _Kept) -> list[Record]:
    return [record for kinds in kept.values() for record in kinds.values()]


def _record(kind: str, name: str, state: State | None) -> Record:
    return Record(kind, name, jsontext.canonical(_pack(state)))


def _state(record: Record) -> State | None:
    value = _unpack(record.load())
    if value is not None and not isinstance(value, dict):
        raise BookbagError("state-corrupt", f"cannot trust the record of {record.name}: it holds no state")
    return value


def _pack(value: object) -> object:
    """Bytes as base64, and mappings that look like such a form wrapped, for `_unpack` to undo."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value  # nearly everything
    if isinstance(value, (bytes, bytearray)):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        packed = {key: _pack(item) for key, item in value.items()}
        return {"mapping": packed} if packed.keys() in ({"base64"}, {"mapping"}) else packed
    if isinstance(value, (list, tuple)):
        return [_pack(item) for item in value]
    return value


def _unpack(value: object) -> object:
    if isinstance(value, list):
        return tuple(_unpack(item) for item in value)
    if not isinstance(value, dict):
        return value
    if value.keys() == {"base64"}:
        return base64.b64decode(value["base64"])
    if value.keys() == {"mapping"}:
        return {key: _unpack(item) for key, item in value["mapping"].items()}
    return {key: _unpack(item) for key, item in value.items()}
