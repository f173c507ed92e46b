"""How apt, and the programs that read its configuration, are set; and that they do what they are set to."""

from __future__ import annotations

import re
from typing import Protocol

#: Where files of sources lie, one for each who brings some.
SOURCES = "/etc/apt/sources.list.d"
OURS = "bookbag-"  #: how the names of those that policy brings begin


class Apt(Protocol):
    """What is configured is a matter of files."""

    def setting(self, name: str) -> tuple[str, ...]:
        """What apt has for ``name`` (``APT::Periodic::Enable``): its one value, or its list; () if nothing.
        Raises ``not-effective`` if its configuration cannot be read at all.
        """
        ...

    def looks_for(self) -> frozenset[str]:
        """The address of every release that its sources name (`release_address`), reached or not. Raises
        ``not-effective`` if one of them cannot be read, or contradicts another: apt has none then.
        """
        ...

    def updated(self) -> int | None:
        """When updates were last installed by themselves, or there were none, unix seconds; None: never, or
        nobody knows.
        """
        ...

    def update(self) -> None:
        """Have updates looked for, and installed, as apt is set; what is begun goes on by itself, and what is
        under way is left as it is. Raises ``not-effective`` if it cannot be begun.
        """
        ...


def alone(name: str) -> str:
    """The pattern of one package's name, as apt's lists of what it does not remove have it."""
    return "^" + re.sub("([+.])", r"[\1]", name) + "$"


def release_address(uri: str, suite: str) -> str:
    """Where apt finds what a source's key signed. A suite that ends in ``/`` is a folder below ``uri``."""
    place = suite.removeprefix("/") if suite.endswith("/") else f"dists/{suite}/"
    return f"{uri.rstrip('/')}/{place}InRelease"
