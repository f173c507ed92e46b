"""administrators: who may become root by sudo, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from agent.core.errors import BookbagError
from agent.host.accounts import Sudo
from agent.host.base import Host
from agent.host.lacking import need
from agent.policy.bases.administration import accounts_of, administrators
from agent.policy.bases.dropin import DropIn

#: The last of the folder, for of sudo's rules the last that fits decides.
PATH = "/etc/sudoers.d/zz-bookbag-administrators"
RISK = "who may use sudo may do everything"


@dataclass(frozen=True, slots=True)
class Administrators(DropIn):
    """One file of sudo's rules. ``names``: who may, of those that have an account on the laptop."""

    kind: ClassVar[str] = "administrators"
    sole: ClassVar[str] = "sudo"
    about: ClassVar[str] = "Who may become root by sudo."
    needs: ClassVar[tuple[str, ...]] = ("sudo", "accounts")
    mode: ClassVar[int] = 0o440
    risk: ClassVar[str] = RISK

    names: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        return PATH

    def guard(self, host: Host) -> None:
        if not administrators(host, among=self.names):
            raise BookbagError(
                "not-allowed",
                f"cannot let only {', '.join(self.names)} use sudo: none of them has an open account here",
                remedy="make one with the resource user, or name somebody who has one",
            )
        if fault := _sudo(host).fault(self.text()):
            raise BookbagError("not-effective", f"cannot put these rules in place: visudo says {fault}")

    def watches(self) -> tuple[str, ...]:
        return ("/etc/sudoers", "/etc/sudoers.d", "/etc/passwd")

    def text(self) -> str:
        return (
            "# Bookbag: nobody but these may use sudo, whatever the files before this one say.\n"
            f"User_Alias BOOKBAG_ADMINISTRATORS = {', '.join(self.names)}\n"
            "ALL, !root, !BOOKBAG_ADMINISTRATORS ALL=(ALL:ALL) !ALL\n"
            "BOOKBAG_ADMINISTRATORS ALL=(ALL:ALL) ALL\n"
        )

    def problem(self, host: Host) -> str:
        sudo = _sudo(host)
        for account in accounts_of(host).people():
            if sudo.allows(account.name) is not (account.name in self.names):
                word = "may not" if account.name in self.names else "may"
                return f"{account.name} {word} use sudo"
        return ""


def _sudo(host: Host) -> Sudo:
    return need(host.sudo, "sudo")
