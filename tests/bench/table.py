"""The rows as text for people: aligned for a terminal, or a page in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.rows import Row, Samples, Verdict

WHY = 200  #: characters of a reason in the table; --json has all of it
HEADINGS = ("what", "measured", "n, min..max", "budget", "beside, in the same run", "ratio", "")


def number(value: float) -> str:
    """Three significant digits, without exponents."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    digits = 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}" if abs(value) >= 10**-digits else f"{value:.2g}"


def _range(samples: Samples) -> str:
    low, high = min(samples.values), max(samples.values)
    return f"n={len(samples.values)}" + (f" {number(low)}..{number(high)}" if low != high else "")


def cells(row: Row) -> list[tuple[str, ...]]:
    """The lines of one row: the first, then one for each further peer."""
    promise, measured = row.promise, row.measured
    budget = ""
    if promise.budget:
        unit = "× beside" if promise.budget.times_peer else promise.unit
        budget = f"≤ {promise.budget.most:g} {unit}"
    if measured is None:
        return [(promise.what, "–", "", budget, "", "", f"{row.verdict}: {row.why[:WHY]}")]
    ratios = row.ratios()
    beside = [
        (f"{name} {number(row.value(peer))} {promise.unit}", f"{ratio:.2f}×" if ratio is not None else "")
        for (name, peer), ratio in zip(measured.peers.items(), ratios.values(), strict=True)
    ] or [("", "")]
    ours = f"{number(row.value(measured.ours))} {promise.unit}"
    verdict = str(row.verdict) if row.verdict != Verdict.NOT_MEASURED else "not measured: nothing beside it"
    first = (promise.what, ours, _range(measured.ours), budget, *beside[0], verdict)
    return [first, *(("", "", "", "", *more, "") for more in beside[1:])]


def notes(rows: Sequence[Row]) -> list[str]:
    """How to read the rows that need it."""
    return [f"{row.promise.what}: {row.measured.note}" for row in rows if row.measured and row.measured.note]


def text(rows: Sequence[Row]) -> str:
    """One aligned table, and the notes below it."""
    lines = [HEADINGS, *(line for row in rows for line in cells(row))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS) - 1)]
    shown = []
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
        shown.append("  ".join([*padded, line[-1]]).rstrip())
    return "\n".join([*shown, *(["", *notes(rows)] if notes(rows) else [])])


def markdown(rows: Sequence[Row], where: Sequence[str], command: str) -> str:
    """The page docs/performance.md."""
    lines = [
        "# Performance",
        "",
        f"Measured. Written by `{command}`, not by hand. Medians; each figure stands beside a floor or peer",
        "measured in the same run.",
        "",
        *(f"- {line}" for line in where),
        "",
        "| " + " | ".join([*HEADINGS[:-1], "verdict"]) + " |",
        "|" + "---|" * len(HEADINGS),
    ]
    for row in rows:
        parts = [" <br> ".join(cell for cell in column if cell) for column in zip(*cells(row), strict=True)]
        lines.append("| " + " | ".join(parts) + " |")
    found = notes(rows)
    return "\n".join([*lines, *(["", *(f"- {note}" for note in found)] if found else []), ""])
