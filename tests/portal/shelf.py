"""A shelf as root tells the portal of it: every way that a program can stand."""

from __future__ import annotations

import json
from pathlib import Path

from agent.core.layout import Layout

_ROW = {"policy": "shelf", "owner": "ict@north.example", "held": "", "chosen": False, "there": False}
#: Name → what root says of it, and whether the student chose it.
ROWS: dict[str, tuple[dict[str, object], bool]] = {
    "tuxpaint": (
        {
            "title": {"en": "Tux Paint", "ar": "الرسم مع توكس"},
            "about": {"en": "Draw and paint", "ar": "للرسم والتلوين"},
        },
        False,
    ),
    "stellarium": ({"title": {"en": "Stellarium"}, "chosen": True, "outcome": "not-yet"}, True),
    "gcompris-qt": ({"chosen": True, "there": True, "outcome": "in-force"}, True),
    "zoom": (
        {
            "chosen": True,
            "outcome": "failed",
            "code": "not-found",
            "message": "cannot install zoom: no source of this laptop has it",
        },
        True,
    ),
    "kalzium": ({"there": True}, False),
    "marble": ({"there": True, "outcome": "not-yet"}, False),
    "scratch": ({"held": "barred"}, False),
    "libreoffice": ({"held": "given"}, False),
}
STATES = {
    "tuxpaint": "offered",
    "stellarium": "coming",
    "gcompris-qt": "here",
    "zoom": "cannot",
    "kalzium": "there",
    "marble": "going",
    "scratch": "barred",
    "libreoffice": "given",
}


def lay_out(layout: Layout, person: str) -> None:
    """As root does; ``person`` chose some of it."""
    folder = Path(layout.asks)
    (folder / "in").mkdir(parents=True, exist_ok=True)
    rows = [{"name": name, "title": {}, "about": {}, **_ROW, **row} for name, (row, _) in ROWS.items()]
    (folder / "offered.json").write_text(json.dumps({"v": 1, "programs": rows}))
    chosen = [{"name": name, "persons": [person]} for name, (_, mine) in ROWS.items() if mine]
    (folder / "chosen.json").write_text(json.dumps({"v": 1, "chosen": chosen}))
