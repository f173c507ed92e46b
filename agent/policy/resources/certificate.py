"""certificate: an authority whose certificates the machine's programs believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from agent.host.base import Host
from agent.host.certificates import FOLDER, Certificates
from agent.host.lacking import need
from agent.policy.bases.fragment import Fragment


@dataclass(frozen=True, slots=True)
class Certificate(Fragment):
    """One file of Debian's folder for them, and the machine's list made anew."""

    kind: ClassVar[str] = "certificate"
    about: ClassVar[str] = "An authority whose certificates are believed."
    needs: ClassVar[tuple[str, ...]] = ("certificates",)
    risk: ClassVar[str] = "whoever has its key can pose as any web site, unless it is held to some names"

    authority: str
    pem: str = ""

    @property
    def name(self) -> str:
        return self.authority

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(authority=name)

    @property
    def path(self) -> str:
        return f"{FOLDER}/bookbag-{self.authority}.crt"

    def units(self) -> tuple[str, ...]:
        return ()  # programs read the list when they start

    def text(self) -> str:
        return self.pem

    def take_in(self, host: Host) -> None:
        _certificates(host).update()

    def watches(self) -> tuple[str, ...]:
        return (FOLDER,)

    def problem(self, host: Host) -> str:
        return "" if _certificates(host).believes(self.path) else "programs do not believe it"


def _certificates(host: Host) -> Certificates:
    return need(host.certificates, "certificates")
