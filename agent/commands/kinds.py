"""Which kinds of order this version obeys: a listing of `agent.commands.handlers`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from agent.commands import handlers
from agent.commands.handler import Handler


@cache
def kinds() -> Mapping[str, Handler]:
    """Kind → its handler."""
    found: dict[str, Handler] = {}
    for info in pkgutil.iter_modules(handlers.__path__):
        module = import_module(f"{handlers.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Handler) and value.__module__ == module.__name__:
                found[value.kind] = value()
    return MappingProxyType(dict(sorted(found.items())))
