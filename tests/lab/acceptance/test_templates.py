"""The policies that a school can start from, on real laptops: the whole of each applies, doing it again does
nothing, and only watched they change nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent.policy.desk.preview import templates
from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import BASE, LEFT_OUT, School
from tests.lab.acceptance.school import bookbag, status
from tests.lab.laptop import Laptop

#: Whom those for a few are for, as IT puts it in: all of them for Lina.
MEANT = {f"[{name}]": "[9b]" for name in ("exam-class", "library-kiosk", "loaner", "shared")} | {
    "rank: device\n": "rank: class\n",
    "device: [your-laptop]": "class: [9b]",
}
#: What becomes of a resource that applied, that was so already, or that no policy asks for any more.
WELL = {"in-force", "changed", "healed", "restored"}


def test_each_applies_whole_and_a_second_time_changes_nothing(school: School) -> None:
    write(school, observe=False)
    for laptop in school.laptops:
        bookbag(laptop, "sync")
        told = status(laptop)
        assert told["outcomes"] and set(told["outcomes"]) <= WELL, told
        assert told["errors"] == []
        during = tree.snapshot(laptop, "/etc", LEFT_OUT)
        assert tree.differences(school.before[laptop.name], during), "the control: they do something"
        rows = len(ledger(laptop))
        assert rows, "the control: doing something is noted"
        bookbag(laptop, "plan", codes=(0,))
        bookbag(laptop, "apply", codes=(0,))
        assert tree.differences(during, tree.snapshot(laptop, "/etc", LEFT_OUT)) == []
        assert len(ledger(laptop)) == rows


def test_only_watched_they_change_nothing_and_say_what_they_would(school: School) -> None:
    write(school, observe=True)
    for laptop in school.laptops:
        bookbag(laptop, "sync")
        bookbag(laptop, "apply", codes=(0, 2))
        after = tree.snapshot(laptop, "/etc", LEFT_OUT)
        assert tree.differences(school.before[laptop.name], after) == []
        watched = reports(laptop)
        assert watched, "the control: they were looked at"
        assert {row["outcome"] for row in watched} <= {"pending", "in-force"}
        assert "pending" in {row["outcome"] for row in watched}


def write(school: School, *, observe: bool) -> None:
    """The templates alone, as IT copies them, published."""
    school.desk.withdraw(*BASE)
    for name, data in templates().items():
        text = data.decode()
        for whom, ours in MEANT.items():
            text = text.replace(whom, ours)
        if observe:
            text = text.replace("\nrank:", "\nmode: observe\nrank:", 1)
            assert "mode: observe" in text
        school.desk.write(f"policies/ict/{name}", text)
    school.desk.publish()


def ledger(laptop: Laptop) -> list[dict[str, Any]]:
    """What was done there, newest first."""
    found: Mapping[str, Any] = json.loads(bookbag(laptop, "ledger", "--json").stdout)
    return list(found["entries"])


def reports(laptop: Laptop) -> list[dict[str, Any]]:
    """How each resource stands."""
    return list(json.loads(laptop.read("/var/lib/bookbag/public/reports.json")))
