"""Finds the verbs: a pure listing of `agent.fleet.cli.verbs`. Adding a verb is adding its file."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from dataclasses import dataclass
from typing import Protocol, cast

from agent.fleet.cli import verbs as folder
from agent.fleet.cli.context import Context

#: The order of a site's life, for --help; verbs not named here follow alphabetically.
ORDER = (
    "init",
    "person",
    "device",
    "assign",
    "check",
    "plan",
    "publish",
    "approve",
    "refresh",
    "stick",
    "serve",
    "status",
)


class VerbModule(Protocol):
    """What a verb's file provides."""

    HELP: str
    __doc__: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the verb's own arguments."""
        ...

    def run(self, args: argparse.Namespace, context: Context) -> int:
        """Do it; returns the exit code. Raises BookbagError."""
        ...


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its name on the command line, and its file."""

    name: str
    module: VerbModule


def verbs() -> tuple[Verb, ...]:
    """Every verb, in the order of --help."""
    names = [info.name for info in pkgutil.iter_modules(folder.__path__)]
    order = {name: number for number, name in enumerate(ORDER)}
    names.sort(key=lambda name: (order.get(name.rstrip("_"), len(ORDER)), name))
    return tuple(
        Verb(
            name.rstrip("_").replace("_", "-"),
            cast(VerbModule, importlib.import_module(f"{folder.__name__}.{name}")),
        )
        for name in names
    )
