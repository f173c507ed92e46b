"""Shows findings: place, what, what to do; those that block first."""

from __future__ import annotations

from agent.fleet.cli.console import Console
from agent.fleet.finding import Finding


def show_findings(console: Console, findings: list[Finding]) -> None:
    """Print them for people."""
    for one in sorted(findings, key=lambda finding: not finding.blocks):
        mark, style = ("error  ", "bad") if one.blocks else ("notice ", "warn")
        console.say(f"{mark} {one.place}: {one.message} [{one.code}]", style)
        if one.remedy:
            console.say(f"         what to do: {one.remedy}")


def values(findings: list[Finding]) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "place": one.place,
            "code": one.code,
            "message": one.message,
            "remedy": one.remedy,
            "blocks": one.blocks,
        }
        for one in findings
    ]
