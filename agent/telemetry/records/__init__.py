"""The records there are: one file each, found by listing this folder. `LAPTOP` goes with every one of
them.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from agent.telemetry.declaration import Choice, Field, Record, Token

_SYSTEMS = (
    "arch",
    "debian",
    "elementary",
    "endless",
    "fedora",
    "linuxmint",
    "manjaro",
    "nixos",
    "opensuse-leap",
    "opensuse-tumbleweed",
    "other",
    "pop",
    "raspbian",
    "trisquel",
    "ubuntu",
    "zorin",
)

#: What a laptop says of itself beside every record: which one, and of what kind. No number of the machine's
#: own.
LAPTOP: tuple[Field, ...] = (
    Field(
        "installation",
        Token("[0-9a-f]{32}", "32 hex characters"),
        "An id of this installation: a hash that only the school's desk can match with a laptop.",
        "To know which laptop needs help.",
        "app.installation.id",
    ),
    Field(
        "agent",
        Token(r"[0-9]{1,3}(\.[0-9]{1,3}){2}((a|b|rc|\.dev)[0-9]{1,4})?", "a version such as 1.2.3"),
        "The version of Bookbag.",
        "To see which laptops run an old one.",
        "service.version",
    ),
    Field(
        "os",
        Choice(_SYSTEMS, rest="other"),
        "The operating system.",
        "To see what an update must fit.",
        "os.name",
    ),
    Field(
        "os-version",
        Token(r"[0-9]{1,4}(\.[0-9]{1,2}){0,2}", "a version such as 12"),
        "Its version.",
        "To see which laptops run an old one.",
        "os.version",
    ),
    Field(
        "arch",
        Choice(("aarch64", "armv7l", "i686", "loongarch64", "other", "riscv64", "x86_64"), rest="other"),
        "The kind of processor.",
        "To see what an update must fit.",
        "host.arch",
    ),
    Field(
        "class",
        Choice(("convertible", "desktop", "laptop", "other", "tablet", "virtual")),
        "What kind of machine it is.",
        "Batteries and screens differ by it.",
        "bookbag.device.class",
    ),
)


@cache
def records() -> Mapping[str, Record]:
    """Every record by its name, in order of the names."""
    found: list[Record] = []
    for info in pkgutil.iter_modules(__path__):
        found.append(import_module(f"{__name__}.{info.name}").RECORD)
    return MappingProxyType({one.name: one for one in sorted(found, key=lambda one: one.name)})
