"""root-password: whether root's password gets anybody in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.policy.bases.administration import accounts_of, administrators
from agent.policy.bases.resource import Resource

ROOT = "root"


@dataclass(frozen=True, slots=True)
class RootPassword(Resource):
    """Barred, or left as found. Neither the state nor the undo journal holds the password or its hash: it
    stays where it is, with a mark before it.
    """

    kind: ClassVar[str] = "root-password"
    about: ClassVar[str] = "Whether root's password gets anybody in."
    needs: ClassVar[tuple[str, ...]] = ("accounts",)

    barred: bool = False

    @property
    def name(self) -> str:
        return ROOT

    @classmethod
    def named(cls, name: str) -> Self:
        del name  # there is one
        return cls()

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, "it keeps out who gets in by that password"

    def desired(self) -> State | None:
        return {"barred": "yes" if self.barred else None}

    def observe(self, host: Host) -> State | None:
        return {"barred": "yes" if accounts_of(host).barred(ROOT) else "no"}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        if after is not None:
            accounts_of(host).bar(ROOT, after["barred"] == "yes")

    def guard(self, host: Host) -> None:
        if self.barred and not administrators(host):
            raise BookbagError(
                "not-allowed",
                "cannot keep root out: nobody else may administer this laptop",
                remedy="name an administrator who has an account here",
            )

    def watches(self) -> tuple[str, ...]:
        return ("/etc/shadow",)
