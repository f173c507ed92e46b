"""What anyone may read about this laptop: complete, as it was read back, without a secret, written once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.core import jsontext
from agent.core.layout import Layout
from agent.core.model import Entry, Outcome, Report
from agent.daemon import decisions, snapshots
from agent.daemon.worker import Context
from tests.leaks import REPOSITORY
from tests.policy.machine import COPIES, NOW, Machine, compiled, source

GOLDEN = REPOSITORY / "tests/cases/formats/public"
TODAY = "2027-01-15"
SECRET = "hunter2-" + "7" * 30
UPPER = """settings:
  browser.homepage:
    value: https://district.example/
    why: {en: "The district's page", ar: "صفحة المنطقة"}
"""
LOWER = """settings:
  browser.homepage:
    value: https://school.example/
    why: {en: "Our page"}
    final: true
  screen-lock.after: 10m
"""
ROOT = f"""resources:
  - file: {{path: /etc/motd, content: "be kind"}}
    why: {{en: "Welcome"}}
  - file: {{path: /etc/wifi.key, content: "{SECRET}", mode: "0600"}}
"""
OBSERVED = "settings:\n  screen-lock.after: 5m\n"
POLICY = compiled(
    source(UPPER, name="upper", rank="district"),
    source(LOWER, name="lower"),
    source(ROOT, name="root", power=True),
    source("resources:\n  - file: {path: /etc/cron.d/x, content: x}\n", name="sly"),
    source(OBSERVED, name="later", rank="class", more="mode: observe\n"),
)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with Machine(tmp_path) as made:
        made.write("/etc/motd", "as it came\n")
        made.write("/etc/wifi.key", SECRET[::-1], mode=0o600)
        yield made


def rows(machine: Machine) -> dict[str, Any]:
    ran = machine.apply(POLICY)
    return decisions.settings(POLICY, ran.reports, machine.undo, machine.memory.read(), TODAY)


def by_key(told: dict[str, Any], kind: str = "settings") -> dict[tuple[str, bool], dict[str, Any]]:
    return {(row["key"], row["observe"]): row for row in told[kind]}


def test_a_setting_tells_who_why_since_when_over_whom_and_what_was_there(machine: Machine) -> None:
    rows(machine)
    machine.now += 500
    found = by_key(rows(machine))
    home = found["browser.homepage", False]
    assert home["value"] == "https://school.example/" and home["final"] == "lower"
    assert home["outcome"] == "in-force" and home["since"] == NOW
    assert home["why"]["en"] == "Our page" and home["why"]["ar"]
    (said,) = home["said_by"]
    assert (said["policy"], said["rank"], said["owner"], said["file"], said["line"]) == (
        *("lower", "school", "ict@north.example"),
        *("policy/ict/lower.yaml", 6),
    )
    (lost,) = home["overrode"]
    assert lost["value"] == "https://district.example/" and lost["reason"]
    assert [one["state"] for one in home["before"]] == ["nothing"] * (2 + len(COPIES))
    assert ("screen-lock.after", False) in found


def test_what_is_only_observed_stands_beside_what_is_in_force(machine: Machine) -> None:
    found = by_key(rows(machine))
    seen = found["screen-lock.after", True]
    assert (seen["outcome"], seen["value"]) == ("pending", "5m")
    assert found["screen-lock.after", False]["outcome"] == "in-force"


def test_direct_resources_and_refusals(machine: Machine) -> None:
    told = rows(machine)
    motd = by_key(told, "resources")["file:/etc/motd", False]
    assert motd["why"] == {"en": "Welcome"} and motd["value"].startswith("7 bytes")
    assert motd["before"][0]["state"].startswith("11 bytes")
    (refused,) = told["refusals"]
    assert (refused["subject"], refused["code"]) == ("file:/etc/cron.d/x", "root-power")
    assert told["left_out"] == 0


def test_of_a_private_file_nothing_is_told_but_that_it_is_there(machine: Machine) -> None:
    told = rows(machine)
    private = by_key(told, "resources")["file:/etc/wifi.key", False]
    assert private["value"] == "a private file"
    assert [one["state"] for one in private["before"]] == ["a private file"]
    text = json.dumps(told)
    for secret in (SECRET, SECRET[::-1]):
        assert secret not in text
    assert f"{len(SECRET)} bytes" not in text and "38 bytes" not in text
    assert "7 bytes" in text  # the control: of others it is told


def test_a_failure_counts_for_the_whole_setting(machine: Machine) -> None:
    reports = [*machine.apply(POLICY).reports]
    lock = next(
        one for one in reports if one.setting == "screen-lock.after" and "(observed)" not in one.resource
    )
    reports[reports.index(lock)] = Report(
        lock.resource, Outcome.NOT_EFFECTIVE, "not-effective", "the user sees 20 minutes", lock.setting
    )
    told = decisions.settings(POLICY, reports, machine.undo, machine.memory.read(), TODAY)
    row = by_key(told)["screen-lock.after", False]
    assert (row["outcome"], row["code"], row["message"]) == (
        *("not-effective", "not-effective"),
        "the user sees 20 minutes",
    )


def test_a_heal_is_told_with_how_often_and_when_last(machine: Machine) -> None:
    assert by_key(rows(machine))["screen-lock.after", False]["healed"] == {"times": 0, "last": 0}
    keys = "/etc/dconf/db/bookbag.d/screen-lock"
    for _ in range(2):
        machine.now += 60
        machine.write(keys, "tampered")
        machine.write("/etc/motd", "mine")
        machine.apply(POLICY)
    told = rows(machine)
    found = by_key(told)
    assert found["screen-lock.after", False]["healed"] == {"times": 2, "last": NOW + 120}
    assert found["screen-lock.after", False]["outcome"] == "in-force"
    assert found["screen-lock.after", True]["healed"]["times"] == 0, "what is only watched heals nothing"
    assert by_key(told, "resources")["file:/etc/motd", False]["healed"]["times"] == 2


def test_whose_review_is_overdue_is_told(machine: Machine) -> None:
    ran, state = machine.apply(POLICY), machine.memory.read()
    on_the_day, after = (
        by_key(decisions.settings(POLICY, ran.reports, machine.undo, state, today))
        for today in ("2027-08-01", "2027-08-02")
    )
    home = "browser.homepage", False
    assert on_the_day[home]["overdue"] == []
    assert after[home]["overdue"] == [{"policy": "lower", "review_by": "2027-08-01"}], "of those that hold"


def test_without_a_policy_there_is_nothing_to_tell(machine: Machine) -> None:
    told = decisions.settings(None, (), machine.undo, None, TODAY)
    assert told == {"settings": [], "resources": [], "left_out": 0, "refusals": []}


def test_thousands_are_cut_and_said_to_be(machine: Machine) -> None:
    many = "".join(f'  - file: {{path: /srv/x/{n}, content: "x"}}\n' for n in range(decisions.MOST_ROWS + 5))
    big = compiled(source(f"resources:\n{many}", name="big", power=True))
    told: dict[str, Any] = decisions.settings(big, (), machine.undo, None, TODAY)
    assert (len(told["resources"]), told["left_out"]) == (decisions.MOST_ROWS, 5)


# -- the ledger


def test_of_a_row_only_the_named_fields_are_told() -> None:
    entry = Entry(
        "enrol", "north", "done", "", "m" * 5000, NOW, {"secret": SECRET, "token": {"secret": SECRET}}
    )
    (row,) = snapshots.ledger_rows([entry])
    assert set(row) == set(snapshots.LEDGER_FIELDS)
    assert SECRET not in json.dumps(row)
    assert len(str(row["message"])) == snapshots.LONGEST


# -- writing


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    layout = Layout(str(tmp_path / "agent"))
    os.makedirs(layout.public, exist_ok=True)
    with open(os.devnull, "wb") as out:
        yield Context({}, layout, out.fileno())


def test_a_file_is_written_when_it_says_something_new_and_else_left(
    machine: Machine, context: Context
) -> None:
    path = Path(context.layout.public) / "ledger.json"
    machine.ledger.append(Entry("enrol", "north", "done", at=NOW))
    snapshots.publish_ledger(context, machine.ledger)
    first = path.stat()
    assert first.st_mode & 0o777 == 0o644
    snapshots.publish_ledger(context, machine.ledger)
    assert path.stat().st_ino == first.st_ino
    machine.ledger.append(Entry("heal", "file:/etc/motd", "healed", at=NOW + 1))
    snapshots.publish_ledger(context, machine.ledger)
    assert path.stat().st_ino != first.st_ino
    told = jsontext.parse(path.read_bytes(), what="ledger.json")
    assert isinstance(told, dict) and [row["kind"] for row in told["entries"]] == ["heal", "enrol"]


def test_what_changes_with_every_heal_is_not_waited_for(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    snapshots.keep(context, "settings.json", {"v": 1}, synced=False)
    assert synced == []
    path = Path(context.layout.public) / "settings.json"
    assert path.read_bytes() == b'{"v":1}' and path.stat().st_mode & 0o777 == 0o644
    for left in (b"", b'{"v"'):  # what a power cut may leave
        path.write_bytes(left)
        snapshots.keep(context, "settings.json", {"v": 1}, synced=False)
        assert path.read_bytes() == b'{"v":1}'
    snapshots.keep(context, "lock.json", {"v": 1})
    assert len(synced) == 2, "the control: the file, and the directory"


def test_a_damaged_ledger_or_a_missing_folder_fails_nothing(machine: Machine, context: Context) -> None:
    machine.ledger.append(Entry("enrol", "north", "done", at=NOW))
    machine.ledger.close()
    Path(machine.layout.ledger).write_bytes(b"no database" * 1000)
    snapshots.publish_ledger(context, machine.ledger)
    assert not (Path(context.layout.public) / "ledger.json").exists()
    os.rmdir(context.layout.public)
    snapshots.keep(context, "x.json", {})


# -- format


def test_golden_files(machine: Machine) -> None:
    """Written as they are; the portal's tests read them."""
    machine.apply(POLICY)
    machine.now += 3600
    machine.write("/etc/motd", "mine")
    ran = machine.apply(POLICY)
    told = {
        **{"v": 1, "site": "north", "groups": {"school": "north", "year": "9", "class": "9b"}},
        **{"signed_at": NOW, "expires": NOW + 1000, "clock": "good"},
        **decisions.settings(POLICY, ran.reports, machine.undo, machine.memory.read(), "2027-08-02"),
    }
    ledger = {"v": 1, "entries": snapshots.ledger_rows(machine.ledger.entries(newest=snapshots.NEWEST))}
    for name, value in (("settings", told), ("ledger", ledger)):
        path = GOLDEN / f"{name}.json"
        if os.environ.get("WRITE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(jsontext.pretty(value), encoding="utf-8")
        golden = jsontext.parse(path.read_bytes(), what=path.name)
        assert jsontext.canonical(value) == jsontext.canonical(golden), name
