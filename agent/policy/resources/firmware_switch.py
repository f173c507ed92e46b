"""firmware-switch: what the laptop can be started from, in the settings of its firmware."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.firmware import MAKERS, Firmware, Switch
from agent.host.lacking import need
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
        values = _values(before) | _coming(before)
        after = {**self._shown(before, values), **(self.desired() or {})}
        switch = _switch(str(before["maker"]), self.what)
        if switch is None or before["is"] == after["is"]:
            return after
        return {**after, "values": dict.fromkeys(values, switch.off if self.off else switch.on)}

    def observe(self, host: Host) -> State | None:
        """``coming``: what some firmware shows from the next start on, where that is something else."""
        firmware = _firmware(host)
        switch = _switch(firmware.maker(), self.what)
        found = {name: firmware.find(name) for name in switch.attributes} if switch else {}
        values = {name: one.value for name, one in found.items() if one is not None}
        if not firmware.maker():
            return None
        coming = {name: one.coming for name, one in found.items() if one is not None and one.coming}
        return {
            "maker": firmware.maker(),
            "is": _is(switch, values | coming) if switch else ALLOWED,
            "values": values,
            "effective": f"in force from {NEXT_START} on" if firmware.waits() else "yes",
            **({"coming": coming} if coming else {}),
        }

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        if not _firmware(host).maker():
            return  # it waits until there is one again
        stand = _values(before) | _coming(before) if before else {}
        for attribute, value in _values(after).items() if after else ():
            if stand.get(attribute) != value:
                _firmware(host).set(attribute, value)

    def underway(self, host: Host, after: State | None) -> str:
        """Some firmware shows what was set from the next start on only. Where the kernel shows none at the
        moment, what was there before is not forgotten.
        """
        del after
        if not _firmware(host).maker():
            return "the kernel to show the settings of the firmware again"
        return NEXT_START if _firmware(host).waits() else ""

    # -- undoing

    def partly(self, now: State, prior: State) -> Iterator[tuple[State, State]]:
        """What was set and is not shown yet: it is taken back before it comes, or was given back already."""
        if coming := _coming(now):
            yield self._shown(now, _values(now) | coming), prior
            yield self._shown(now, _values(now)), prior

    def release(self, now: State | None, prior: State | None) -> State | None:
        return prior if now is None else now

    def retires(self, host: Host, now: State | None, prior: State | None) -> State | None:
        """Another machine's firmware, where the disk was put into another laptop, is not given back here; nor
        what this one, which may have been renewed since, has no choice of any more.
        """
        if now is None or prior is None or now["maker"] != prior["maker"]:
            return now
        was = _values(prior)
        found = {name: _firmware(host).find(name) for name in _values(now)}
        able = {name for name, one in found.items() if one is not None and was.get(name) in one.possible}
        values = {name: was[name] if name in able else value for name, value in _values(now).items()}
        return self._shown(now, values)

    def _shown(self, state: State, values: Mapping[str, str]) -> dict[str, object]:
        """``state`` as it is once these are shown."""
        switch = _switch(str(state["maker"]), self.what)
        found = {name: value for name, value in state.items() if name != "coming"}
        return {**found, "values": dict(values), **({"is": _is(switch, values)} if switch else {})}


def _values(state: State) -> dict[str, str]:
    values = state["values"]
    assert isinstance(values, Mapping)  # noqa: S101
    return {str(name): str(value) for name, value in values.items()}


def _coming(state: State) -> dict[str, str]:
    coming = state.get("coming", {})
    assert isinstance(coming, Mapping)  # noqa: S101
    return {str(name): str(value) for name, value in coming.items()}


def _is(switch: Switch, values: Mapping[str, str]) -> str:
    return OFF if all(value == switch.off for value in values.values()) else ALLOWED


def _switch(maker: str, what: str) -> Switch | None:
    known = MAKERS.get(maker)
    return known.switches.get(what) if known else None


def _firmware(host: Host) -> Firmware:
    return need(host.firmware, "firmware")
