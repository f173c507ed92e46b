"""firmware-switch: what the laptop can be started from, in the settings of its firmware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.errors import BookbagError
from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.firmware import MAKERS, Firmware, Switch
from agent.policy.bases.resource import Resource

OFF, ALLOWED = "off", "allowed"
RISK = "firmware decides what starts before any system does, and wears out with each change"
NEXT_START = "the next start of the laptop"


@dataclass(frozen=True, slots=True)
class FirmwareSwitch(Resource):
    """``what``: a key of each maker's switches. Where several attributes switch it, it is off when all are;
    ``allowed`` changes nothing where any is on.
    """

    kind: ClassVar[str] = "firmware-switch"
    about: ClassVar[str] = "What the laptop can be started from, in the settings of its firmware."
    needs: ClassVar[tuple[str, ...]] = ("firmware",)
    effects: ClassVar[frozenset[str]] = frozenset(("effective",))

    what: str
    off: bool = False

    @property
    def name(self) -> str:
        return self.what

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(name)

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, RISK

    def lacking(self, host: Host) -> str:
        firmware = _firmware(host)
        switch = _switch(firmware.maker(), self.what)
        if switch is None:
            return "firmware whose settings Bookbag knows and the kernel can change"
        for number, attribute in enumerate(switch.attributes):
            found = firmware.find(attribute)
            if found is None and number == 0:
                return f"setting {attribute} in its firmware"
            if found is not None and not {switch.off, switch.on} <= set(found.possible):
                return f"choice of {switch.off} and {switch.on} for {attribute} in its firmware"
        return ""

    # -- what should be, what is

    def desired(self) -> State | None:
        return {"is": OFF if self.off else ALLOWED, "effective": "yes"}

    def intended(self, before: State | None) -> State | None:
        """In the words of the maker whose firmware was seen, so that what is written is known beforehand."""
        if before is None:
            return self.desired()
        after = {**before, **(self.desired() or {})}
        switch = _switch(str(before["maker"]), self.what)
        if switch is None or before["is"] == after["is"]:
            return after
        values = before["values"]
        assert isinstance(values, Mapping)  # noqa: S101
        return {**after, "values": dict.fromkeys(values, switch.off if self.off else switch.on)}

    def observe(self, host: Host) -> State | None:
        firmware = _firmware(host)
        switch = _switch(firmware.maker(), self.what)
        found = {name: firmware.find(name) for name in switch.attributes} if switch else {}
        values = {name: one.value for name, one in found.items() if one is not None}
        if switch is None or not values:
            return None
        off = all(value == switch.off for value in values.values())
        return {
            "maker": firmware.maker(),
            "is": OFF if off else ALLOWED,
            "values": values,
            "effective": f"in force from {NEXT_START} on" if firmware.waits() else "yes",
        }

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        wanted = {} if after is None else after["values"]
        assert isinstance(wanted, Mapping)  # noqa: S101
        for attribute, value in wanted.items():
            _firmware(host).set(attribute, str(value))

    def underway(self, host: Host, after: State | None) -> str:
        """Some firmware shows what was set from the next start on only."""
        del after
        return NEXT_START if _firmware(host).waits() else ""

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """Another machine's firmware, where the disk was put into another laptop, is not given back here."""
        del host
        same = now is not None and prior is not None and now["maker"] == prior["maker"]
        return prior if same else now


def _switch(maker: str, what: str) -> Switch | None:
    known = MAKERS.get(maker)
    return known.switches.get(what) if known else None


def _firmware(host: Host) -> Firmware:
    if host.firmware is None:
        raise BookbagError("not-supported", "cannot do this here: nothing shows settings of the firmware")
    return host.firmware
