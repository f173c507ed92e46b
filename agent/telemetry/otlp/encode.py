"""Reports become one OTLP request. Every report passes the gate on its way, so no bytes exist that did not.

Each report is one resource (the laptop) with one scope (the record, its version, the report's id) and, for
``logs``, one log record with an event name; for ``metrics``, one gauge for each field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agent.telemetry import privacy
from agent.telemetry.declaration import Field, Record, Signal, Value
from agent.telemetry.otlp import wire
from agent.telemetry.records import LAPTOP, records
from agent.telemetry.report import Report

ID, CAUSE = "bookbag.report.id", "bookbag.report.cause"
INFO = 9  #: SEVERITY_NUMBER_INFO
_FIXED = {"os.type": "linux", "service.name": "bookbag"}


def request(signal: Signal, reports: Iterable[Report]) -> bytes:
    """An ExportLogsServiceRequest or ExportMetricsServiceRequest. Raises ``not-allowed`` (`privacy.check`)
    and KeyError for a report of the other signal.
    """
    out = bytearray()
    for report in reports:
        privacy.check(report)
        record = records()[report.record]
        if record.signal != signal:
            raise KeyError(record.name)
        out += wire.message(1, _resource_group(record, report))
    return bytes(out)


def _resource_group(record: Record, report: Report) -> bytes:
    scope = wire.text(1, record.scope) + wire.text(2, str(record.v))
    scope += _attribute(3, ID, report.id) + _attribute(3, CAUSE, report.cause)
    inner = _log(record, report) if record.signal == "logs" else _metrics(record, report)
    return wire.message(1, _resource(report)) + wire.message(2, wire.message(1, scope) + inner)


def _resource(report: Report) -> bytes:
    out = bytearray()
    for key, fixed in _FIXED.items():
        out += _attribute(1, key, fixed)
    for field in LAPTOP:
        if field.name in report.laptop:
            out += _attribute(1, field.attribute, report.laptop[field.name])
    return bytes(out)


def _log(record: Record, report: Report) -> bytes:
    nanos = report.at * 10**9
    out = wire.fixed64(1, nanos) + wire.varint(2, INFO)
    for field in record.fields:
        if field.name in report.values:
            out += _attribute(6, field.attribute, report.values[field.name])
    out += wire.fixed64(11, nanos) + wire.text(12, record.scope)
    return wire.message(2, out)


def _metrics(record: Record, report: Report) -> bytes:
    out = b""
    for name, fields in _by_metric(record.fields, report.values):
        points = b"".join(wire.message(1, _point(one, report)) for one in fields)
        head = wire.text(1, name) + wire.text(3, otlp_unit(fields[0]))
        out += wire.message(2, head + wire.message(5, points))
    return out


def _by_metric(fields: Sequence[Field], values: Mapping[str, Value]) -> list[tuple[str, list[Field]]]:
    """Fields of one metric together, in the order of the declaration."""
    found: dict[str, list[Field]] = {}
    for field in fields:
        if field.name in values:
            found.setdefault(field.attribute, []).append(field)
    return list(found.items())


def otlp_unit(field: Field) -> str:
    """The unit of what is sent: a value that is divided is a ratio."""
    return "1" if field.divide > 1 else field.unit


def _point(field: Field, report: Report) -> bytes:
    value = report.values[field.name]
    if not isinstance(value, int):
        raise TypeError(f"{field.name} is no number, so it cannot be a metric")
    out = wire.fixed64(3, report.at * 10**9)
    if field.divide > 1:
        out += wire.oneof_double(4, value / field.divide)
    else:
        out += wire.oneof_sfixed64(6, int(value))
    for key, fixed in field.point.items():
        out += _attribute(7, key, fixed)
    return out


def _attribute(number: int, key: str, value: Value) -> bytes:
    return wire.message(number, wire.text(1, key) + wire.message(2, _any(value)))


def _any(value: Value) -> bytes:
    """An AnyValue."""
    if isinstance(value, bool):
        return wire.oneof_varint(2, int(value))
    if isinstance(value, int):
        return wire.oneof_varint(3, value)
    if isinstance(value, str):
        return wire.message(1, value.encode())
    if isinstance(value, Mapping):
        return wire.message(6, b"".join(_attribute(1, str(key), one) for key, one in value.items()))
    if isinstance(value, (list, tuple)):
        return wire.message(5, b"".join(wire.message(1, _any(one)) for one in value))
    raise TypeError(f"a {type(value).__name__} has no form here")
