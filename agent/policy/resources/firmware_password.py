"""firmware-password: the administrator's password of the firmware, which who changes its settings needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from agent.core.errors import BookbagError
from agent.core.layout import Layout
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.firmware import Admin, Firmware, Kept
from agent.host.lacking import need
from agent.policy.bases.resource import Resource
from agent.policy.resources.firmware_switch import NEXT_START

RISK = "who has it decides what the laptop starts, and one that is lost opens no firmware any more"
#: What every keyboard types alike before a system runs, and no driver takes for a separator.
_USABLE = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class FirmwarePassword(Resource):
    """``secret``: the name of what IT gave. No state has it, or a hash of it. Set after the settings that it
    closes: some firmware takes a new one from the next start on only.
    """

    kind: ClassVar[str] = "firmware-password"
    sole: ClassVar[str] = "admin"
    about: ClassVar[str] = "The administrator's password of the firmware."
    needs: ClassVar[tuple[str, ...]] = ("firmware",)
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))
    mends_effects: ClassVar[bool] = True
    taken_in: ClassVar[bool] = True
    late: ClassVar[bool] = True

    secret: str = ""

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, RISK

    def secrets(self) -> tuple[str, ...]:
        return (self.secret,) if self.secret else ()

    def awaits(self, host: Host) -> str:
        missing = self.secret and self._given(host) is None
        return f"the secret {self.secret}, which IT gives this laptop" if missing else ""

    def lacking(self, host: Host) -> str:
        admin = _firmware(host).admin()
        if admin is None:
            return "password of its firmware that Bookbag knows and the kernel can use"
        if not admin.settable and not admin.enabled:
            return "way to set a first password of its firmware; set it by hand, and give that as the secret"
        return ""

    # -- what should be, what is

    def desired(self) -> State | None:
        return {"set": "yes", "effective": "yes"}

    def observe(self, host: Host) -> State | None:
        admin = _firmware(host).admin()
        if admin is None:
            return None
        return {"set": "yes" if admin.enabled else "no", "effective": self._effective(host, admin)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        firmware = _firmware(host)
        admin = firmware.admin()
        if admin is None:
            return
        if self.secret:
            self._set(firmware, admin, self._usable(host, admin))
        elif after is not None and after["set"] == "no":
            firmware.change_password("")
        else:
            firmware.keep(None)  # somebody else's it was, and stays

    def underway(self, host: Host, after: State | None) -> str:
        """Some firmware shows it until the next start, after it let it be removed."""
        return NEXT_START if after is not None and after["set"] == "no" else ""

    def watches(self) -> tuple[str, ...]:
        """Goes on as soon as a secret is given, or another."""
        return (Layout().secrets_file,)

    # -- the secret

    def _set(self, firmware: Firmware, admin: Admin, given: str) -> None:
        kept = firmware.kept()
        if not admin.enabled:
            firmware.change_password(given)
        elif kept is None or not (kept.proved or kept.coming) or not admin.settable:
            if kept is None or kept.current != given:
                firmware.keep(Kept(given))  # somebody set one by hand: this may be it
        elif kept.current != given:
            firmware.change_password(given)

    def _given(self, host: Host) -> str | None:
        return host.secrets.find(self.secret) if host.secrets is not None and self.secret else None

    def _usable(self, host: Host, admin: Admin) -> str:
        given = self._given(host)
        if given is None:
            raise BookbagError("awaited", f"cannot set it yet: it waits for {self.awaits(host)}")
        # Lenovo's driver cuts off the last character of one that is as long as it may be.
        fits = admin.least <= len(given) < (admin.most or len(given) + 1)
        if fits and _USABLE.fullmatch(given):
            return given
        bounds = f", {admin.least} to {admin.most - 1} of them on this laptop" if admin.most else ""
        raise BookbagError(
            "bad-argument",
            f"cannot use the secret {self.secret}: firmware takes letters and digits of ASCII{bounds}",
            remedy=f"bookbag-fleet secret set {self.secret}",
        )

    def _effective(self, host: Host, admin: Admin) -> str:
        """``yes``, or what is known of it instead."""
        kept, given = _firmware(host).kept(), self._given(host)
        if not self.secret or not admin.enabled:
            return "not asked"
        if kept is None:
            return "a password is set that was not set from here"
        if kept.current != given or kept.coming:
            return "it has another password than the one that was given"
        if not kept.proved:
            return "somebody set a password by hand; whether it is the one given is not known yet"
        late = _firmware(host).waits() or not admin.shown
        return f"in force from {NEXT_START} on" if late else "yes"


def _firmware(host: Host) -> Firmware:
    return need(host.firmware, "firmware")
