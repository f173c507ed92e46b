"""The last gate: only declared fields, of the declared type, within the declared bounds, pass. Twice.

`admit` is asked when a report is made: it rounds, and leaves out what is not declared. `check` is asked again
right before bytes are made of a report, whoever put it into the spool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent.core.errors import BookbagError
from agent.telemetry.declaration import Field, Value
from agent.telemetry.records import LAPTOP, records
from agent.telemetry.report import Report


def admit(fields: Iterable[Field], given: Mapping[str, Value]) -> tuple[dict[str, Value], tuple[str, ...]]:
    """(what may leave, rounded; the names of what may not). A value None means "not known", and is
    neither.
    """
    declared = {one.name: one for one in fields}
    passed: dict[str, Value] = {}
    withheld: list[str] = []
    for name, value in given.items():
        if value is None:
            continue
        field = declared.get(name)
        try:
            if field is None:
                raise ValueError("not declared")
            passed[name] = field.type.fit(value)
        except ValueError:
            withheld.append(name)
    return passed, tuple(withheld)


def check(report: Report) -> None:
    """Raise ``not-allowed`` unless everything in ``report`` is declared and exactly of the declared form."""
    record = records().get(report.record)
    if record is None:
        raise _refused(report, f"no record is called {report.record[:40]!r}")
    _check(report, record.fields, report.values)
    _check(report, LAPTOP, report.laptop)
    if "installation" not in report.laptop:
        raise _refused(report, "it says of no installation")


def _check(report: Report, fields: Iterable[Field], values: Mapping[str, Value]) -> None:
    declared = {one.name: one for one in fields}
    for name, value in values.items():
        field = declared.get(name)
        if field is None:
            raise _refused(report, f"the field {name[:40]!r} is not declared")
        if not field.type.accepts(value):
            raise _refused(report, f"the field {name!r} is not of its declared form")


def _refused(report: Report, why: str) -> BookbagError:
    return BookbagError("not-allowed", f"cannot send this report: {why}", place=report.id)
