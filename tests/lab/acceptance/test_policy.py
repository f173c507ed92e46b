"""A published policy is in force within one poll, and each laptop gets what its year is to have."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.school import POLL, bookbag, homepage_of, policy_of

#: Seconds beyond the poll (± 10 %) that fetching, verifying and applying may take on a busy machine.
WORK = 9.0


def test_in_force_within_one_poll(school: School, output: Path) -> None:
    address = f"http://library.example/{time.time_ns()}"
    school.desk.policy("newer", {"browser.homepage": address})
    school.desk.publish()
    began = time.monotonic()
    took: dict[str, float] = {}
    while len(took) < 2 and time.monotonic() < began + 1.1 * POLL + WORK:
        for laptop in school.laptops:
            if laptop.name not in took and homepage_of(laptop) == address:
                took[laptop.name] = round(time.monotonic() - began, 2)
        time.sleep(0.05)
    (output / "in-force.json").write_text(json.dumps({"poll_s": POLL, "seconds": took}) + "\n")
    print(f"in force after {took} with a poll of {POLL} s")
    assert len(took) == 2, took


def test_each_year_gets_its_own_and_everyone_the_rest(school: School) -> None:
    for laptop, minutes in ((school.lina, "10m"), (school.omar, "5m")):
        said = bookbag(laptop, "explain", "screen-lock.after").stdout
        assert f"screen-lock.after: {minutes}" in said
        assert policy_of(laptop, "blocked-sites") == {"URLBlocklist": ["casino.example"]}
    older = bookbag(school.lina, "explain", "screen-lock.after").stdout
    assert "policy older (school), policy/ict/older.yaml:" in older


def test_the_plan_told_what_would_change_where(school: School) -> None:
    school.desk.policy("older", {"screen-lock.after": "7m"}, applies={"year": [9]})
    plan = school.desk.fleet("plan", codes=(0, 2))
    assert "lina" in plan and "10m" in plan and "7m" in plan
    assert "omar" not in plan
