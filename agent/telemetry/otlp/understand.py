"""Groups become reports again, by the declarations: the inverse of `encode`, and the check at intake.

A newer laptop may tell a field that this version does not know: it is passed over, the rest is kept. What is
not of its declared form makes its whole report unacceptable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from agent.core.ids import is_id
from agent.telemetry.declaration import Field, Flag, Record, Value
from agent.telemetry.otlp.decode import Group, Item
from agent.telemetry.otlp.encode import CAUSE, ID, otlp_unit
from agent.telemetry.records import LAPTOP, records
from agent.telemetry.report import CAUSES, LATEST, Cause, Report


@dataclass(frozen=True, slots=True)
class Understood:
    """``reports`` are acceptable; ``refused`` counts log records or data points of what is not, with the
    first reason.
    """

    reports: tuple[Report, ...]
    refused: int
    why: str


class _Unacceptable(Exception):
    pass


def understand(signal: str, found: Iterable[Group]) -> Understood:
    """What of a request is a report of a declared record."""
    reports: list[Report] = []
    refused, why = 0, ""
    for group in found:
        try:
            reports.append(_report(signal, group))
        except _Unacceptable as problem:
            refused += max(1, len(group.items))
            why = why or str(problem)
    return Understood(tuple(reports), refused, why)


def _report(signal: str, group: Group) -> Report:
    record = next((one for one in records().values() if one.scope == group.scope), None)
    if record is None or record.signal != signal:
        raise _Unacceptable(f"the scope {group.scope[:60]!r} is none of this site's records")
    identity, cause = group.about.get(ID), group.about.get(CAUSE)
    if not isinstance(identity, str) or not is_id(identity) or cause not in CAUSES:
        raise _Unacceptable("the scope carries no report id or cause")
    laptop = _by_attribute(LAPTOP, group.resource)
    if "installation" not in laptop:
        raise _Unacceptable("the resource has no app.installation.id")
    values = _log(record, group.items) if signal == "logs" else _points(record, group.items)
    at = _moment(group.items)
    return Report(record.name, identity, at, cast(Cause, cause), laptop, values)


def _moment(items: list[Item]) -> int:
    moments = {one.nanos // 10**9 for one in items}
    if len(moments) != 1 or not 0 < (at := moments.pop()) < LATEST:
        raise _Unacceptable("its time is missing, or not one")
    return at


def _log(record: Record, items: list[Item]) -> dict[str, Value]:
    if len(items) != 1 or items[0].name != record.scope:
        raise _Unacceptable("a record is one log record with its event name")
    return _by_attribute(record.fields, items[0].attributes)


def _by_attribute(fields: Iterable[Field], attributes: Mapping[str, Value]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for field in fields:
        if field.attribute in attributes:
            found[field.name] = _accepted(field, attributes[field.attribute])
    return found


def _points(record: Record, items: list[Item]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for item in items:
        field = next(
            (
                one
                for one in record.fields
                if one.attribute == item.name and dict(one.point) == item.attributes
            ),
            None,
        )
        if field is None:
            continue
        if field.name in found or item.unit != otlp_unit(field):
            raise _Unacceptable(f"the metric {item.name} is there twice, or in another unit")
        found[field.name] = _accepted(field, _whole(field, item.value))
    return found


def _whole(field: Field, value: Value) -> Value:
    """The number as declared: undivided, and whole, where the sender counts in doubles."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = value * field.divide
    if not abs(number) < 1 << 60:  # not a number, too
        return None
    whole = round(number)
    if abs(whole - number) > 1e-6:
        return None
    return bool(whole) if isinstance(field.type, Flag) and whole in (0, 1) else whole


def _accepted(field: Field, value: Value) -> Value:
    if not field.type.accepts(value):
        raise _Unacceptable(f"{field.attribute} is not of its declared form")
    return value
