"""What may be asked of a machine about its network; as in `agent.host.base`."""

from __future__ import annotations

from typing import Protocol


class Firewall(Protocol):
    """One table of nftables, ours. Those of others are neither read nor changed."""

    def load(self, script: str) -> None:
        """Put a script of `agent.host.nft_table` in force, in one step: either all of it holds afterwards, or
        what held before. Raises ``not-effective`` with the machine's complaint.
        """
        ...

    def listed(self) -> tuple[object, ...] | None:
        """What the machine itself says is in our table now, in the form of `agent.host.nft_table.plain`; None
        if there is no such table.
        """
        ...

    def clear(self) -> None:
        """Make sure that there is no such table."""
        ...


class Links(Protocol):
    """Whether there is a way out."""

    def up(self) -> bool:
        """Whether an interface that is connected to something leads to a router. False with the cable pulled,
        Wi-Fi off, or before an address was given.
        """
        ...


class Resolving(Protocol):
    """Whom programs ask for the addresses of names. Only asks: what is configured is a matter of files."""

    def servers(self) -> tuple[str, ...]:
        """The addresses that the machine's programs ask, in their order, at most the three that they look at;
        () if there is none.
        """
        ...

    def searches(self) -> tuple[str, ...]:
        """What is tried behind a name that is no whole one, in this order."""
        ...
