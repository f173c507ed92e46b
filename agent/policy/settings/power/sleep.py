"""power.sleep: after how much idleness a laptop sleeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.dconf import Dconf
from agent.policy.resources.dconf_profile import DconfProfile
from agent.policy.syntax.nodes import Node, Scalar
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import Duration, Key, Record, Type, spell, wrong

NEVER: Final = "never"
_POWER: Final = "/org/gnome/settings-daemon/plugins/power/sleep-inactive"
#: What a school says → what GNOME calls it.
_SOURCES: Final[Mapping[str, str]] = {"battery": "battery", "mains": "ac"}
_LONG: Final = Duration(least=5 * 60, most=8 * 3600)


@dataclass(frozen=True, slots=True)
class _Idle:
    """`NEVER`, or how long; the value is in seconds, or `NEVER`."""

    def read(self, node: Node, problems: Problems) -> object:
        word = node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""
        if word == NEVER:
            return NEVER
        return wrong(self, node, problems) if word.isalpha() else _LONG.read(node, problems)

    def describe(self) -> str:
        return f"{NEVER}, or {_LONG.describe()}"

    def schema(self) -> dict[str, object]:
        return {"anyOf": [{"enum": [NEVER]}, _LONG.schema()]}


class PowerSleep(Setting):
    """GNOME's own rule, locked."""

    key: ClassVar[str] = "power.sleep"
    about: ClassVar[str] = (
        "How long a laptop may be idle before it sleeps, on battery and on mains, or that it never does "
        "(GNOME). When the screen goes dark is `screen-lock.after`; where `accounts.idle-log-out` is "
        "decided too, the nearer rank's holds."
    )
    value: ClassVar[Type] = Record(
        {
            "battery": Key(_Idle(), required=True, about="on battery"),
            "mains": Key(_Idle(), required=True, about="plugged in"),
        },
        "when it sleeps",
    )
    merge: ClassVar[Merge] = Merge.REPLACE
    why: ClassVar[Mapping[str, str]] = {
        "en": "When a laptop that nobody uses goes to sleep was decided by the school, to spare its battery.",
        "ar": "قررت المدرسة متى ينام حاسوب لا يستعمله أحد، توفيرًا لبطاريته.",
    }
    example: ClassVar[str] = "power.sleep:\n  value: {battery: 15m, mains: never}"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, Mapping)  # noqa: S101
        values: dict[str, str] = {}
        for said, name in _SOURCES.items():
            never = value[said] == NEVER
            values[f"{_POWER}-{name}-type"] = "'nothing'" if never else "'suspend'"
            values[f"{_POWER}-{name}-timeout"] = "0" if never else str(value[said])
        return DconfProfile(), Dconf(group="sleep", values=values)

    def show(self, value: object) -> str:
        said = value.items() if isinstance(value, Mapping) else ()
        return ", ".join(f"{name} {spell(idle) if isinstance(idle, int) else idle}" for name, idle in said)
