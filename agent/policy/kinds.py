"""Which settings and resource kinds there are: a listing of two folders, the same from a zip or a bundle.

The place of a file is the name of what it defines, so a worker that needs a few of many loads these alone,
and one that only needs the names loads none.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Generic, TypeVar

from agent.policy import resources as resources_folder
from agent.policy import settings as settings_folder
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Setting

_Kind = TypeVar("_Kind")


class _Listing(Mapping[str, _Kind], Generic[_Kind]):
    """Name → kind, in order of the names; each is loaded when it is first asked for."""

    def __init__(self, modules: Mapping[str, str], load: Callable[[str], _Kind]) -> None:
        self._modules = dict(sorted(modules.items()))
        self._load = load
        self._loaded: dict[str, _Kind] = {}

    def __getitem__(self, name: str) -> _Kind:
        if name not in self._loaded:
            self._loaded[name] = self._load(self._modules[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


@cache
def settings() -> Mapping[str, Setting]:
    """Every setting by its key, in order of the keys."""
    modules: dict[str, str] = {}
    for group in _modules(settings_folder):
        for name in _modules(import_module(f"{settings_folder.__name__}.{group}")):
            modules[f"{_spoken(group)}.{_spoken(name)}"] = f"{settings_folder.__name__}.{group}.{name}"
    return _Listing(modules, lambda module: _defined(module, Setting)())


@cache
def resources() -> Mapping[str, type[Resource]]:
    """Every resource kind by its name, in order of the names."""
    names = _modules(resources_folder)
    modules = {_spoken(name): f"{resources_folder.__name__}.{name}" for name in names}
    return _Listing(modules, lambda module: _defined(module, Resource))


def resource(identity: str) -> Resource:
    """The resource that ``kind:name`` means, knowing only its place. Raises KeyError for an unknown kind."""
    kind, _, name = identity.partition(":")
    return resources()[kind].named(name)


def _modules(folder: ModuleType) -> list[str]:
    return [info.name for info in pkgutil.iter_modules(folder.__path__)]


def _spoken(name: str) -> str:
    """As people write it: a module's name has no hyphens."""
    return name.replace("_", "-")


def _defined(module: str, base: type[_Kind]) -> type[_Kind]:
    """The one subclass of ``base`` that a module defines itself."""
    (found,) = (
        value
        for value in vars(import_module(module)).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module
    )
    return found
