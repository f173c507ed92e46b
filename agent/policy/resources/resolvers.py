"""resolvers: whom NetworkManager has programs ask for names, on whatever network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.fragment import Fragment
from agent.policy.bases.resource import Resource

UNIT = "NetworkManager.service"


@dataclass(frozen=True, slots=True)
class Resolvers(Fragment):
    """One drop-in, which comes before what a network or a connection of a person's says; /etc/resolv.conf is
    asked what came of it.
    """

    kind: ClassVar[str] = "resolvers"
    sole: ClassVar[str] = "everywhere"
    about: ClassVar[str] = "The servers that programs ask for names, on every network."
    needs: ClassVar[tuple[str, ...]] = ("services", "resolving")
    risk: ClassVar[str] = "who answers for names decides where programs go, and could cut the laptop off"

    servers: list[str] = field(default_factory=list)
    search: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return "/etc/NetworkManager/conf.d/90-bookbag-dns.conf"

    def units(self) -> tuple[str, ...]:
        return (UNIT,)

    def text(self) -> str:
        return (
            f"[global-dns]\nsearches={','.join(self.search)}\n\n"
            f"[global-dns-domain-*]\nservers={','.join(self.servers)}\n"
        )

    def problem(self, host: Host) -> str:
        resolving = need(host.resolving, "resolving")
        found = resolving.servers()
        if found != tuple(self.servers):
            return f"programs ask {', '.join(found) or 'nobody'} for names"
        searched = resolving.searches()
        if searched[: len(self.search)] != tuple(self.search):  # a host name's own domain may follow
            return f"programs look for names in {', '.join(searched) or 'no domain'}"
        return ""

    def cuts_off(self) -> bool:
        return True

    def fallback(self, own: Sequence[str]) -> Resource | None:
        """What the network itself says, for all: a server of names that does not answer closes nothing that
        a school wants closed, and nothing that it closes stays closed to who asks another.
        """
        del own
        return None
