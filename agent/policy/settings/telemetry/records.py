"""telemetry.records: which reports a laptop makes of itself for IT, if any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.telemetry import RECORDS, Telemetry
from agent.policy.syntax.nodes import Node, Scalar, Sequence
from agent.policy.syntax.problems import Problems
from agent.policy.syntax.values import BAD, Choice, ListOf, Type, wrong

OFF = "off"
_LISTED = ListOf(Choice(RECORDS), most=len(RECORDS))


class _Records:
    """A list of records, or off. Kept as a sorted list; off is the empty one."""

    def read(self, node: Node, problems: Problems) -> object:
        """See `Type`."""
        if isinstance(node, Scalar) and node.value in (OFF, False):
            return []
        if not isinstance(node, Sequence):
            return wrong(self, node, problems)
        found = _LISTED.read(node, problems)
        if isinstance(found, list) and BAD not in found:
            return sorted(map(str, found))
        return BAD

    def describe(self) -> str:
        """See `Type`."""
        return f"off, or a list of {' and '.join(RECORDS)}"

    def schema(self) -> dict[str, object]:
        """See `Type`."""
        return {"anyOf": [{"enum": [OFF, False]}, _LISTED.schema()]}


class TelemetryRecords(Setting):
    """Without it nothing is collected. A nearer rank can only take records away."""

    key: ClassVar[str] = "telemetry.records"
    about: ClassVar[str] = (
        "Which reports the laptop makes of itself for IT. Where no policy names any, it makes none. "
        "What is in each: [telemetry.md](telemetry.md)."
    )
    value: ClassVar[Type] = _Records()
    merge: ClassVar[Merge] = Merge.COMMON
    why: ClassVar[Mapping[str, str]] = {
        "en": "This laptop tells IT how it is, so that it is mended in time. It tells nothing of you; "
        "you can read all of it: bookbag telemetry.",
        "ar": "يخبر هذا الحاسوب قسم التقنية بحاله ليُصلَح في حينه، ولا يخبر عنك شيئًا؛ "
        "ويمكنك قراءة كل ما أرسله: bookbag telemetry.",
    }
    example: ClassVar[str] = "telemetry.records: [compliance, health]"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        return (Telemetry(records=value),)

    def tighter(self, one: object, other: object) -> bool:
        return isinstance(one, list) and isinstance(other, list) and set(one) < set(other)

    def show(self, value: object) -> str:
        return (", ".join(map(str, value)) or OFF) if isinstance(value, list) else str(value)
