"""sysctl: one switch of the kernel, now and at each start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from agent.core.model import Power, State
from agent.host.base import Host
from agent.host.kernel import SETTING, SWITCH, Kernel
from agent.host.lacking import need
from agent.policy.bases.filestate import look, part, put, replaceable, text_file
from agent.policy.bases.resource import Resource
from agent.policy.syntax.values import Key, Text

#: What a lock sets and gives back.
_LOCKED = frozenset(("kernel.sysrq",))


@dataclass(frozen=True, slots=True)
class Sysctl(Resource):
    """The file that sets it at each start, and its value now; both are as before when the policy goes."""

    kind: ClassVar[str] = "sysctl"
    about: ClassVar[str] = "One switch of the kernel, now and at each start."
    powers: ClassVar[str] = "Always takes two persons."
    direct: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("kernel",)
    keys: ClassVar[Mapping[str, Key]] = {
        "switch": Key(
            Text(most=200, pattern=SWITCH, what="a switch of the kernel such as net.ipv4.ip_forward"),
            required=True,
            about="its name, with dots",
        ),
        "value": Key(
            Text(most=400, pattern=SETTING, what='a quoted value such as "1"; several are one space apart'),
            required=True,
            about="what it is set to",
        ),
    }
    example: ClassVar[str] = '- sysctl: {switch: kernel.dmesg_restrict, value: "1"}'

    switch: str
    value: str = ""

    @property
    def name(self) -> str:
        return self.switch

    @classmethod
    def named(cls, name: str) -> Self:
        return cls(switch=name)

    def power(self) -> tuple[Power, str]:
        return Power.ROOT, "the kernel's switches can let code run as root"

    def forbidden(self) -> str:
        return "it belongs to the lock" if self.switch in _LOCKED else ""

    def lacking(self, host: Host) -> str:
        return "" if _kernel(host).value(self.switch) is not None else f"switch {self.switch}"

    def desired(self) -> State | None:
        return {"file": text_file(self._text()), "live": self.value}

    def observe(self, host: Host) -> State | None:
        return {"file": look(host, self._path), "live": _kernel(host).value(self.switch)}

    def apply(self, host: Host, before: State | None, after: State | None) -> None:
        there, wanted = part(before, "file"), part(after, "file")
        if wanted is None:
            replaceable(there, self._path)
        put(host, self._path, wanted)
        live = None if after is None else after["live"]
        if live is not None:
            _kernel(host).set(self.switch, str(live))

    def release(self, now: State | None, prior: State | None) -> State | None:
        """Someone else set it since: it stays so until the next start, but the file was ours alone."""
        return now if now is None else {**now, "file": None if prior is None else prior["file"]}

    def paths(self) -> tuple[str, ...]:
        return (self._path,)

    def checklist(self) -> Mapping[str, State | None]:
        return {self._path: text_file(self._text())}

    @property
    def _path(self) -> str:
        """Read after the administrator's own, and before that of a lock."""
        return f"/etc/sysctl.d/99-z-bookbag-{self.switch}.conf"

    def _text(self) -> str:
        return f"{self.switch} = {self.value}\n"


def _kernel(host: Host) -> Kernel:
    return need(host.kernel, "kernel")
