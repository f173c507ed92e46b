"""Changes and outcomes for people, shared by plan, apply and sync."""

from __future__ import annotations

from agent.cli import _terminal as terminal


def changes(result: dict[str, object]) -> str:
    """What would change, resource by resource, from → to."""
    listed = result.get("changes")
    if not isinstance(listed, list) or not listed:
        return "nothing would change: this laptop is as decided"
    rows = [
        (
            f"{change.get('action', '')}{' (offered, chosen here)' if change.get('chosen') else ''}",
            *(str(change.get(name, "")) for name in ("resource", "from")),
            "→",
            str(change.get("to", "")),
        )
        for change in listed
        if isinstance(change, dict)
    ]
    lines = [terminal.table(rows)]
    lines.append("")
    digest = terminal.plain(result.get("hash", ""))
    lines.append(f"{len(listed)} to change; `bookbag apply --plan {digest}` does exactly this")
    return "\n".join(lines)


def outcomes(result: dict[str, object]) -> str:
    """How everything stands after a run, troubles one by one."""
    counts = result.get("outcomes")
    said = (
        ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        if isinstance(counts, dict)
        else ""
    )
    lines = [said or "nothing is asked of this laptop"]
    listed = result.get("exceptions")
    rows = [
        (str(one.get("resource", "")), str(one.get("outcome", "")), str(one.get("message", "")))
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict)
    ]
    if rows:
        lines.append(terminal.table(rows, indent="  "))
    problem = result.get("problem")
    if isinstance(problem, dict):
        lines.append(f"the newest word was not taken: {terminal.plain(problem.get('message', ''))}")
    return "\n".join(lines)
