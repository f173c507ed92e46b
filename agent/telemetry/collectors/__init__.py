"""What fills the records: one file each, found by listing this folder.

A collector names its record in ``RECORD`` and gives values of its fields from ``collect(seen)``; None, or a
name left out, means "not known". Each is metered and judged alone: one that fails or is slow costs its own
fields.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen


@dataclass(frozen=True, slots=True)
class Collector:
    """One of them."""

    name: str
    record: str
    collect: Callable[[Seen], Mapping[str, Value]]


@cache
def collectors() -> tuple[Collector, ...]:
    """Every collector, in order of the names."""
    found: list[Collector] = []
    for info in pkgutil.iter_modules(__path__):
        module = import_module(f"{__name__}.{info.name}")
        found.append(Collector(info.name, module.RECORD, module.collect))
    return tuple(sorted(found, key=lambda one: one.name))
