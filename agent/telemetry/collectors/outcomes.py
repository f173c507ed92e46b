"""outcomes: how the school's settings stand here: counts, and the keys and codes of those with trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from agent.telemetry.declaration import Value
from agent.telemetry.seen import Seen

RECORD = "compliance"
#: What was just changed or healed simply is in force.
_WELL = ("changed", "healed", "in-force")


def collect(seen: Seen) -> Mapping[str, Value]:
    """Of a resource that no setting asked for, its kind alone is told: its name can be a path or worse."""
    counts: Counter[str] = Counter()
    for outcome, count in seen.part("outcomes").items():
        counts["in-force" if outcome in _WELL else outcome] += count if type(count) is int else 0
    if not counts:
        return {}
    return {
        "outcomes": dict(counts),
        "exceptions": _exceptions(seen),
        "refusals": dict(Counter(code for code in _codes(seen.status.get("refusals")))),
    }


def _exceptions(seen: Seen) -> list[str]:
    rows = seen.status.get("exceptions")
    if not isinstance(rows, list) or not rows:
        return []
    known = seen.known()
    found = set()
    for row in rows:
        if not isinstance(row, dict) or row.get("outcome") == "refused":
            continue  # those are counted by code: they are named by documents, and documents by people
        key = row.get("setting") or row.get("kind")
        code = row.get("code") or row.get("outcome")
        if key in known and isinstance(code, str):
            found.add(f"{key} {code}")
    return sorted(found)


def _codes(rows: object) -> list[str]:
    if not isinstance(rows, list):
        return []
    return [row["code"] for row in rows if isinstance(row, dict) and isinstance(row.get("code"), str)]
