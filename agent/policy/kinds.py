"""Which settings and resource kinds there are: a listing of two folders, the same from a zip or a bundle."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TypeVar

from agent.policy import resources as resources_folder
from agent.policy import settings as settings_folder
from agent.policy.resource import Resource
from agent.policy.setting import Setting

_Kind = TypeVar("_Kind")


@cache
def settings() -> Mapping[str, Setting]:
    """Every setting by its key, in order of the keys."""
    found = [cls() for cls in _classes(settings_folder, Setting)]
    return MappingProxyType({setting.key: setting for setting in sorted(found, key=lambda one: one.key)})


@cache
def resources() -> Mapping[str, type[Resource]]:
    """Every resource kind by its name, in order of the names."""
    found = _classes(resources_folder, Resource)
    return MappingProxyType({cls.kind: cls for cls in sorted(found, key=lambda one: one.kind)})


def resource(identity: str) -> Resource:
    """The resource that ``kind:name`` means, knowing only its place. Raises KeyError for an unknown kind."""
    kind, _, name = identity.partition(":")
    return resources()[kind].named(name)


def _classes(folder: ModuleType, base: type[_Kind]) -> list[type[_Kind]]:
    """The subclasses of ``base`` that the modules of ``folder`` define themselves."""
    classes: list[type[_Kind]] = []
    for info in pkgutil.iter_modules(folder.__path__):
        module = import_module(f"{folder.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__:
                classes.append(value)
    return classes
