"""What a machine lacks, told alike by whoever plans and by whoever asks it nevertheless."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from agent.core.errors import BookbagError

#: Capability of `agent.host.base.Host`, by attribute name → what people call it; left out: the same.
_CALLED: Final[Mapping[str, str]] = {
    "accounts": "accounts of its own",
    "assurances": "way to tell",
    "certificates": "list of authorities: install the package ca-certificates",
    "firewall": "nftables",
    "firmware": "firmware that shows its settings",
    "flatpaks": "flatpak",
    "hardware": "way to tell what its devices do",
    "kernel": "switches of the kernel",
    "packages": "dpkg",
    "printing": "printing system: install the packages cups and cups-filters",
    "programs": "dpkg",
    "remote_login": "way to ask the ssh server",
    "resolving": "way to tell whom programs ask for names",
    "services": "service manager",
    "timekeeping": "way to tell how it keeps time",
    "wireless": "NetworkManager",
}

_Part = TypeVar("_Part")


def called(capability: str) -> str:
    """A capability for people, to follow "the machine has no"."""
    return _CALLED.get(capability, capability)


def need(part: _Part | None, capability: str) -> _Part:
    """``part``, which a `Host` has as ``capability``. Raises ``not-supported`` where the machine lacks it."""
    if part is None:
        raise BookbagError("not-supported", f"cannot do this here: the machine has no {called(capability)}")
    return part
