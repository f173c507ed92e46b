"""outcomes: how the school's settings stand here: counts, the keys and codes of those with trouble, and the
keys of those that are put back again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"
TENS = 10
#: What was just changed or healed simply is in force.
_WELL = ("changed", "healed", "in-force")


def collect(seen: Seen) -> Mapping[str, Value]:
    """Of a resource that no setting asked for, its kind alone is told: its name can be a path or worse. So it
    is of what a setting asked for that must not be named.
    """
    counts: Counter[str] = Counter()
    for outcome, count in seen.part("outcomes").items():
        counts["in-force" if outcome in _WELL else outcome] += count if type(count) is int else 0
    if not counts:
        return {}
    return {
        "outcomes": dict(counts),
        "exceptions": _exceptions(seen),
        "healed": _healed(seen),
        "refusals": dict(Counter(_refused(seen))),
    }


def _exceptions(seen: Seen) -> list[str]:
    """What was refused is counted by code instead: it is named by documents, and documents by people."""
    rows = [row for row in _rows(seen, "exceptions") if row.get("outcome") != "refused"]
    found = set()
    for key, row in _named(seen, rows):
        code = row.get("code") or row.get("outcome")
        if isinstance(code, str):
            found.add(f"{key} {code}")
    return sorted(found)


def _healed(seen: Seen) -> list[str]:
    """Of each key how often the most tampered of its resources was put back, in whole tens; nothing below."""
    most: dict[str, int] = {}
    for key, row in _named(seen, _rows(seen, "healed")):
        times = row.get("times")
        if type(times) is int and times >= TENS:
            most[key] = max(most.get(key, 0), times - times % TENS)
    return [f"{key} {times}" for key, times in sorted(most.items())]


def _named(seen: Seen, rows: list[dict[str, object]]) -> Iterator[tuple[str, dict[str, object]]]:
    """Those of ``rows`` that can be named: by their setting, else by their kind."""
    for row in rows:
        names = [row.get("setting"), row.get("kind")]
        key = next((name for name in names if isinstance(name, str) and seen.may_name(name)), "")
        if key:
            yield key, row


def _refused(seen: Seen) -> list[str]:
    """The codes of what was not taken: whole documents, and single lines of those that were."""
    lines = [row for row in _rows(seen, "exceptions") if row.get("outcome") == "refused"]
    codes = [row.get("code") for row in (*_rows(seen, "refusals"), *lines)]
    return [code for code in codes if isinstance(code, str)]


def _rows(seen: Seen, name: str) -> list[dict[str, object]]:
    rows = seen.status.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
