"""What `bookbag status` tells of each setting: whether it holds here, why not, how often it had to be put
back, over whom it was decided, and whose review is overdue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.cli import _terminal as terminal


def put_back(status: Mapping[str, object]) -> list[tuple[str, str]]:
    """Of the status, what had to be put back since it is wanted so: (its name, how often and when last)."""
    clock = status.get("clock")
    now = clock.get("at") if isinstance(clock, dict) else None
    return [
        (str(one.get("setting") or one.get("resource") or ""), _heals(one, now))
        for one in _rows(status.get("healed"))
    ]


def settings(told: object, now: object) -> list[tuple[str, str, str]]:
    """Of the snapshot ``settings.json``: (key, how it stands, what else there is to say). ``now``: trusted
    time.
    """
    parts = (told.get("settings"), told.get("resources")) if isinstance(told, dict) else ()
    rows = [row for part in parts for row in _rows(part)]
    return [(str(row.get("key")), _stands(row), "; ".join(_more(row, now))) for row in rows]


def _stands(row: Mapping[str, object]) -> str:
    outcome = str(row.get("outcome") or "not known yet")
    return f"{outcome} (observed)" if row.get("observe") else outcome


def _more(row: Mapping[str, object], now: object) -> Iterator[str]:
    if row.get("message"):
        yield str(row["message"])
    healed = row.get("healed")
    if isinstance(healed, dict) and healed.get("times"):
        yield f"put back {_heals(healed, now)}"
    for one in _rows(row.get("overrode")):
        yield f"in place of policy {one.get('policy')} ({one.get('rank')}): {one.get('reason')}"
    for one in _rows(row.get("overdue")):
        yield f"the review of policy {one.get('policy')} was due by {one.get('review_by')}"


def _heals(one: Mapping[str, object], now: object) -> str:
    last = one.get("last")
    ago = max(0, now - last) if isinstance(now, int) and isinstance(last, int) else None
    when = f", last {terminal.ago(ago)}" if ago is not None else ""
    return f"{terminal.times(one.get('times'))}{when}"


def _rows(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
