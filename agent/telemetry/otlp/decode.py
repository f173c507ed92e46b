"""Any OTLP request of logs or metrics becomes plain groups, within caps on depth and number; then reports,
where a group is one of a declared record.

Unknown fields are passed over, unknown kinds of metric too. What is malformed is malformed as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.telemetry.declaration import Signal, Value
from agent.telemetry.otlp import wire
from agent.telemetry.otlp.wire import Budget, Malformed, Raw

MAX_FIELDS = 30_000  #: of one request, nested ones included
MAX_DEPTH = 4  #: of lists and maps within one attribute
MAX_GROUPS = 1000


@dataclass(slots=True)
class Item:
    """One log record, or one data point: ``name`` is its event name or metric."""

    name: str = ""
    unit: str = ""
    nanos: int = 0
    value: Value = None
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """What one scope of one resource says."""

    resource: Mapping[str, Value]
    scope: str = ""
    version: str = ""
    about: dict[str, Value] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)


def groups(signal: Signal, data: bytes) -> list[Group]:
    """Every scope of every resource in the request. Raises Malformed."""
    budget = Budget(MAX_FIELDS)
    found: list[Group] = []
    for number, kind, value in wire.fields(memoryview(data), budget):
        if number == 1:
            found += _resource_group(signal, wire.as_view(kind, value), budget)
            if len(found) > MAX_GROUPS:
                raise Malformed("too many scopes")
    return found


def _resource_group(signal: Signal, data: memoryview, budget: Budget) -> list[Group]:
    resource: dict[str, Value] = {}
    scopes: list[memoryview] = []
    for number, kind, value in wire.fields(data, budget):
        if number == 1:
            _attributes(wire.as_view(kind, value), budget, 1, resource)
        elif number == 2:
            scopes.append(wire.as_view(kind, value))
    return [_scope_group(signal, Group(resource), one, budget) for one in scopes]


def _scope_group(signal: Signal, group: Group, data: memoryview, budget: Budget) -> Group:
    for number, kind, value in wire.fields(data, budget):
        if number == 1:
            _scope(group, wire.as_view(kind, value), budget)
        elif number == 2 and signal == "logs":
            group.items.append(_log(wire.as_view(kind, value), budget))
        elif number == 2:
            group.items += _metric(wire.as_view(kind, value), budget)
    return group


def _scope(group: Group, data: memoryview, budget: Budget) -> None:
    for number, kind, value in wire.fields(data, budget):
        if number == 1:
            group.scope = wire.as_text(kind, value)
        elif number == 2:
            group.version = wire.as_text(kind, value)
        elif number == 3:
            _attribute(wire.as_view(kind, value), budget, group.about)


def _log(data: memoryview, budget: Budget) -> Item:
    item = Item()
    for number, kind, value in wire.fields(data, budget):
        if number == 1:
            item.nanos = int(wire.as_fixed(kind, value, "<Q"))
        elif number == 5:
            item.value = _any(wire.as_view(kind, value), budget, MAX_DEPTH)
        elif number == 6:
            _attribute(wire.as_view(kind, value), budget, item.attributes)
        elif number == 12:
            item.name = wire.as_text(kind, value)
    return item


def _metric(data: memoryview, budget: Budget) -> list[Item]:
    name = unit = ""
    points: list[Item] = []
    for number, kind, value in wire.fields(data, budget):
        if number == 1:
            name = wire.as_text(kind, value)
        elif number == 3:
            unit = wire.as_text(kind, value)
        elif number in (5, 7):  # gauge, sum: their points have one form
            for inner, sort, point in wire.fields(wire.as_view(kind, value), budget):
                if inner == 1:
                    points.append(_point(wire.as_view(sort, point), budget))
        elif number in (9, 10, 11):  # histograms and summaries: no record of ours has one
            points.append(Item())
    for one in points:
        one.name, one.unit = name, unit
    return points


def _point(data: memoryview, budget: Budget) -> Item:
    item = Item()
    for number, kind, value in wire.fields(data, budget):
        if number == 3:
            item.nanos = int(wire.as_fixed(kind, value, "<Q"))
        elif number == 4:
            item.value = wire.as_fixed(kind, value, "<d")
        elif number == 6:
            item.value = wire.as_fixed(kind, value, "<q")
        elif number == 7:
            _attribute(wire.as_view(kind, value), budget, item.attributes)
    return item


def _attributes(data: memoryview, budget: Budget, number: int, into: dict[str, Value]) -> None:
    for found, kind, value in wire.fields(data, budget):
        if found == number:
            _attribute(wire.as_view(kind, value), budget, into)


def _attribute(data: memoryview, budget: Budget, into: dict[str, Value], depth: int = MAX_DEPTH) -> None:
    key, content = "", None
    for number, kind, value in wire.fields(data, budget):
        if number == 1:
            key = wire.as_text(kind, value)
        elif number == 2:
            content = _any(wire.as_view(kind, value), budget, depth)
    if key in into:
        raise Malformed("an attribute that is there twice")
    into[key] = content


def _any(data: memoryview, budget: Budget, depth: int) -> Value:
    """The value of an AnyValue; None if it is empty."""
    if depth <= 0:
        raise Malformed("values within values without end")
    found: Value = None
    for number, kind, value in wire.fields(data, budget):
        found = _one_of(number, kind, value, budget, depth)
    return found


def _one_of(number: int, kind: int, value: Raw, budget: Budget, depth: int) -> Value:
    if number == 1:
        return wire.as_text(kind, value)
    if number == 2:
        return wire.as_int(kind, value) != 0
    if number == 3:
        return wire.as_int(kind, value)
    if number == 4:
        return wire.as_fixed(kind, value, "<d")
    if number == 5:
        items = wire.fields(wire.as_view(kind, value), budget)
        return [_any(wire.as_view(sort, one), budget, depth - 1) for inner, sort, one in items if inner == 1]
    if number == 6:
        made: dict[str, Value] = {}
        for inner, sort, one in wire.fields(wire.as_view(kind, value), budget):
            if inner == 1:
                _attribute(wire.as_view(sort, one), budget, made, depth - 1)
        return made
    return wire.as_view(kind, value).tobytes() if number == 7 else None
