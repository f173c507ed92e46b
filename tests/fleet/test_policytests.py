"""The tests that IT writes of its policies, through the real command line: what they find keeps a folder from
being published."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleet.desk import Desk, enrolled, make_desk

NINE = "v: 1\ntests:\n- about: Coursework.\n  given: {{year: 9}}\n  expect:\n    screen-lock.after: {}\n"


def write(desk: Desk, text: str, name: str = "years.yaml") -> None:
    (desk.root / "tests").mkdir(exist_ok=True)
    (desk.root / "tests" / name).write_text(text)


def test_a_failed_expectation_is_a_finding_and_stops_publishing(desk: Desk) -> None:
    desk.policy("secondary")
    write(desk, NINE.format("10m"))
    found = desk.run("check").value
    assert found["tests"] == {"files": 1, "tests": 1, "expectations": 1, "ran": True, "failures": []}
    assert "1 test, 1 expectation: all hold" in desk.run("check", as_json=False).out
    desk.policy("secondary", after="20m")
    found = desk.run("check", expect=4).value
    assert [one["code"] for one in found["findings"]] == ["unexpected"] and found["errors"] == 1
    assert found["tests"]["failures"] == [
        {
            "place": "tests/years.yaml:6:5",
            "about": "Coursework.",
            "laptop": "year 9",
            "key": "screen-lock.after",
            "expected": "10m",
            "got": "20m",
            "policy": "secondary",
            "decided-at": "policies/ict/secondary.yaml:6",
        }
    ]
    text = desk.run("check", expect=4, as_json=False).out
    assert (
        "tests/years.yaml:6:5: cannot confirm screen-lock.after for year 9 (Coursework.): expected 10m, "
        "got 20m, which secondary decides (policies/ict/secondary.yaml:6) [unexpected]" in text
    )
    assert "1 test, 1 expectation: 1 does not hold" in text
    assert desk.publish("ict-1", expect=4)["published"] == []
    assert desk.run("plan", expect=4).value["findings"] == found["findings"]
    assert desk.run("plan", "--despite-tests", expect=2).value["to-sign"]
    write(desk, NINE.format("20m"))
    assert "policy-ict" in desk.publish("ict-1")["published"], "the control"


def test_in_an_emergency_it_is_published_all_the_same_and_said(desk: Desk) -> None:
    desk.policy("secondary", after="20m")
    write(desk, NINE.format("10m"))
    assert desk.publish("ict-1", expect=4)["published"] == []
    told = desk.run("publish", "--as", "ict-1", "--despite-tests").value
    assert "policy-ict" in told["published"]
    assert [one["code"] for one in told["notices"]] == ["unexpected"]
    write(desk, NINE.format("soon"))
    wrong = desk.run("publish", "--as", "ict-1", "--despite-tests", expect=4).value
    assert wrong["published"] == [], "a test that cannot be read is no emergency"


def test_a_laptop_is_given_by_its_name_and_gets_what_its_groups_get(desk: Desk, tmp_path: Path) -> None:
    laptop = enrolled(desk, tmp_path, "lina", "school=north-high", "year=9", "class=9b")
    desk.policy("all", after="20m")
    desk.policy("nine", after="10m", extra="applies-to: {school: north-high, year: 9}\n")
    desk.policy("hers", after="5m", extra=f"applies-to: {{device: {laptop.identity.id}}}\n")
    (desk.root / "policies/ict/hers.yaml").write_text(
        (desk.root / "policies/ict/hers.yaml").read_text().replace("rank: school", "rank: device")
    )
    given = "- {{given: {}, expect: {{screen-lock.after: {{value: {}, from: {}}}}}}}\n"
    rows = [
        ("{device: lina}", "5m", "hers"),
        ("{school: north-high, year: 9}", "10m", "nine"),
        ("{year: 9}", "20m", "all"),
        ("{}", "20m", "all"),
    ]
    write(desk, "v: 1\ntests:\n" + "".join(given.format(*row) for row in rows))
    assert desk.run("check").value["tests"]["failures"] == []


def test_what_is_wrong_with_tests_is_told_and_nothing_is_judged(desk: Desk) -> None:
    desk.policy("secondary")
    desk.run("device", "lina")
    write(desk, NINE.format("1m"))
    write(desk, NINE.format("10m").replace("{year: 9}", "{device: lena}"), "lena.yaml")
    write(desk, NINE.format("10m").replace("{year: 9}", "{device: lina}"), "lina.yaml")
    write(desk, NINE.format("10m"), "late.yml")
    (desk.root / "tests/link.yaml").symlink_to(desk.root / "keys/online/timestamp.pem")
    found = desk.run("check", expect=4).value
    told = {one["place"]: (one["remedy"], one["blocks"]) for one in found["findings"]}
    assert told["tests/lena.yaml:3:3"] == ("did you mean 'lina'?", True)
    assert "assign lina" in told["tests/lina.yaml:3:3"][0]
    assert told["tests/late.yml"] == ("move it to tests/NAME.yaml", False)
    assert "tests/link.yaml" in told
    assert (found["tests"]["ran"], found["tests"]["failures"]) == (False, [])
    assert "not run, because of the errors above" in desk.run("check", expect=4, as_json=False).out


def test_a_broken_policy_is_told_alone(desk: Desk) -> None:
    """Each test would fail as well, and hide the one line that is wrong."""
    desk.policy("secondary", after="10")
    write(desk, NINE.format("10m"))
    found = desk.run("check", expect=4).value
    assert [one["place"] for one in found["findings"]] == ["policies/ict/secondary.yaml:6:22"]
    assert not found["tests"]["ran"]


@pytest.mark.parametrize("template", [None, "baseline", "primary", "secondary"])
def test_a_new_folder_has_tests_of_its_policies_and_they_hold(tmp_path: Path, template: str | None) -> None:
    desk = make_desk(tmp_path / "it", *(["--template", template] if template else []))
    desk.publish()
    found = desk.run("check").value["tests"]
    names = {"baseline.yaml", f"{template}.yaml"} if template else set()
    there = {one.name for one in (desk.root / "tests").iterdir()} if (desk.root / "tests").exists() else set()
    assert (there, found["files"], found["failures"]) == (names, len(names), [])
    assert not template or found["expectations"] >= 3
    for policy in (desk.root / "policies").rglob("*.yaml"):  # and they notice: not one of them is idle
        policy.unlink()
    broken = desk.run("check", expect=4 if template else 0).value["tests"]
    assert {one["place"].partition(":")[0] for one in broken["failures"]} == {f"tests/{one}" for one in names}
