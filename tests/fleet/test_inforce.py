"""Which settings are not in force on how many laptops, and whose word holds instead: as IT sees it."""

from __future__ import annotations

from pathlib import Path

from agent.fleet.inforce import InForce, Lack, in_force
from agent.fleet.reported import Standing
from agent.fleet.reports import Kept, ReportStore
from agent.telemetry.declaration import Value
from agent.telemetry.report import Report
from agent.trust.identity import installation_id
from tests.fleet.desk import Desk, enrolled
from tests.telemetry.samples import COMPLIANCE, LAPTOP


def laptop(
    name: str, *exceptions: str, healed: tuple[Value, ...] = (), record: str = "compliance"
) -> Standing:
    values: dict[str, Value] = {"exceptions": list(exceptions), "healed": list(healed)}
    return Standing(name, "", 1, "", "", (), 2, {record: Kept("", record, 1, 1, "change", {}, values)})


def test_laptops_are_counted_by_setting_and_reason() -> None:
    lacking = "screen-lock.after not-supported"
    found = in_force(
        [
            laptop("a", lacking, "browser.homepage not-effective"),
            laptop("b", lacking, "file disk-full", healed=("browser.homepage 30", "browser.homepage 40")),
            laptop("c", lacking),
            laptop("d", "security.secure-boot unmet"),
            laptop("e", lacking, record="health"),
            Standing("f", "", 0, "", "", (), 2),
        ]
    )
    assert found.reporting == 4, "those that told how their settings stand"
    assert found.lacks == (
        Lack("screen-lock.after", "not-supported", ("a", "b", "c")),
        Lack("browser.homepage", "not-effective", ("a",)),
        Lack("browser.homepage", "put-back", ("b",)),
        Lack("file", "disk-full", ("b",)),
        Lack("security.secure-boot", "unmet", ("d",)),
    )
    assert found.rows()[0] == ["screen-lock.after", "not supported there", "3 of 4"]
    assert found.rows()[-2] == ["file", "disk-full", "1 of 4"]
    assert found.rows()[-1][1] == "looked for and not found; nothing here can make it so"


def test_reports_of_another_version_count_for_nothing() -> None:
    odd: dict[str, Value] = {"exceptions": [5, None, {"x": 1}], "healed": "screen-lock.after 30"}
    one = Standing("a", "", 1, "", "", (), 2, {"compliance": Kept("", "compliance", 1, 1, "x", {}, odd)})
    assert in_force([one]) == InForce(1)


def test_the_desk_is_told_by_status(desk: Desk, tmp_path: Path) -> None:
    assert desk.run("status", expect=None).value["in-force"] == {"reporting": 0, "settings": []}
    mine = enrolled(desk, tmp_path, "lap-1", "year=9")
    store = ReportStore(desk.root / "telemetry" / "reports.db")
    whose = {**LAPTOP, "installation": installation_id("north", mine.identity.id)}
    store.add([Report("compliance", "1" * 32, desk.now, "change", whose, COMPLIANCE)], desk.now)
    store.close()
    told = desk.run("status", expect=None).value["in-force"]
    assert told["reporting"] == 1
    assert {"key": "screen-lock.after", "code": "not-effective", "laptops": ["lap-1"]} in told["settings"]
    shown = " ".join(desk.run("status", expect=None, as_json=False).out.split())
    assert "screen-lock.after written, but something there has more say 1 of 1" in shown
    (desk.root / "telemetry" / "reports.db").write_bytes(b"no database" * 1000)
    ran = desk.run("status", expect=None)
    assert ran.value["in-force"]["reporting"] == 0, "the rest of the status is told all the same"


def test_whoever_says_something_in_vain_is_told_whose_word_holds(desk: Desk, tmp_path: Path) -> None:
    enrolled(desk, tmp_path, "lap-1", "year=9")
    desk.policy("above", after="10m")
    assert desk.run("plan", expect=None).value["overridden"] == []
    near = desk.policy("near", after="5m")
    text = near.read_text().replace("rank: school", "rank: year\napplies-to: {year: '9'}")
    near.write_text(text.replace("https://north.example/", "https://year.example/"))
    told = desk.run("plan", expect=None).value["overridden"]
    by_key = {one["key"]: one for one in told}
    lost = by_key["browser.homepage"]
    assert (lost["policy"], lost["by"], lost["value"]) == ("above", "near", "https://north.example/")
    assert lost["place"].startswith("policies/ict/above.yaml:") and lost["devices"] == ["lap-1"]
    assert "near speaks for rank year, which is nearer" in lost["reason"]
    assert by_key["screen-lock.after"]["reason"] == "near is stricter"
    shown = " ".join(desk.run("plan", expect=None, as_json=False).out.split())
    assert "(above) near speaks for rank year, which is nearer on 1 laptop" in shown
