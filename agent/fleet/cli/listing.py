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
    "teacher",
    "device",
    "assign",
    "content",
    "template",
    "schema",
    "check",
    "plan",
    "export",
    "publish",
    "approve",
    "refresh",
    "asks",
    "accommodate",
    "accommodations",
    "message",
    "session",
    "lock",
    "unlock",
    "answer",
    "wipe",
    "cancel",
    "readmit",
    "receipts",
    "stick",
    "serve",
    "status",
    "telemetry",
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


def names() -> tuple[str, ...]:
    """Every verb's name, in the order of --help; nothing is imported."""
    order = {name: number for number, name in enumerate(ORDER)}
    found = [info.name.replace("_", "-") for info in pkgutil.iter_modules(folder.__path__)]
    return tuple(sorted(found, key=lambda name: (order.get(name, len(ORDER)), name)))


def verb(name: str) -> Verb:
    """The verb of that name."""
    module = importlib.import_module(f"{folder.__name__}.{name.replace('-', '_')}")
    return Verb(name, cast(VerbModule, module))


def verbs() -> tuple[Verb, ...]:
    """Every verb, in the order of --help."""
    return tuple(verb(name) for name in names())
