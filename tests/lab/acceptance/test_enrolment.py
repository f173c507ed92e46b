"""Laptops join by one-time tokens; what a dishonest service can do about it is noticed at the desk."""

from __future__ import annotations

import json
from pathlib import Path

from tests.lab.acceptance.conftest import School
from tests.lab.acceptance.desk import PEOPLE
from tests.lab.acceptance.school import POLL, assign, enrol, set_poll, settled, status, wait_for_request
from tests.lab.laptop import Laptop


def test_two_laptops_joined_and_each_knows_its_own_groups(school: School) -> None:
    for laptop, year in ((school.lina, "9"), (school.omar, "3")):
        found = status(laptop)
        assert found["enrolment"] == "assigned"
        assert found["groups"]["year"] == year
        record = (school.desk.folder / f"devices/{laptop.name}.yaml").read_text()
        assert found["device"] in record
        private = json.loads(laptop.read("/var/lib/bookbag/keys/device.json"))["sign_key"]
        assert private not in record


def test_a_token_is_used_once_and_two_swapped_requests_are_noticed(
    school: School, spare: list[Laptop]
) -> None:
    desk, (sami, nour) = school.desk, spare
    file = desk.folder.parent / "enrol-north-lina.json"
    enrol(desk, sami, file=file)
    settled(sami, lambda laptop: status(laptop)["enrolment"] == "refused")
    assert "already-done" in sami.run(["bookbag", "ledger"]).stdout
    assert not any(status(sami)["groups"].values()), "nobody assigned it"
    assert status(school.lina)["enrolment"] == "assigned"

    # The same laptop with a token of its own, and another: both requests reach the desk.
    desk.fleet("device", "sami", "--out", str(desk.folder.parent / "sami.json"))
    sami.write("/root/enrol.json", (desk.folder.parent / "sami.json").read_bytes())
    sami.run(["bookbag", "enrol", "--again", "/root/enrol.json"])
    set_poll(sami, POLL)  # agent.yaml is that of the new enrolment
    enrol(desk, nour)
    wait_for_request(desk, sami)
    wait_for_request(desk, nour)
    one, two = sorted((desk.folder / "returns").glob("enrol-*"))  # beside receipts of earlier orders
    swap(one, two)  # what the service can do: it knows neither secret
    rows = {row["name"]: row for row in desk.fleet_json("device", "--as", PEOPLE[0], codes=(4,))["devices"]}
    for name in ("sami", "nour"):
        assert rows[name]["state"] == "refused", rows[name]
        assert rows[name]["error"]["code"] in ("bad-signature", "bad-envelope")
        desk.fleet("assign", name, "year=9", "--as", PEOPLE[0], codes=(1,))
    swap(one, two)  # positive control: each under its own name
    for laptop in (sami, nour):
        assign(desk, laptop, school="north", year="9")
    desk.publish()
    for laptop in (sami, nour):
        settled(laptop, lambda laptop: status(laptop)["groups"].get("year") == "9")
        desk.fleet("device", laptop.name, "--remove")


def swap(one: Path, two: Path) -> None:
    """Exchange two files' contents."""
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
