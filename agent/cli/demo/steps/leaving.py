"""Everything that left a laptop, printed whole; and the day the school takes Bookbag off again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from agent.cli.demo.laptop import Laptop
from agent.cli.demo.stage import OMAR, PEOPLE, Claim, Stage
from agent.cli.demo.steps.school import MOTD

SENT = "/var/lib/bookbag/telemetry/sent"


def told(stage: Stage, broken: bool) -> Iterator[Claim]:
    """Every value of the reports that the school has of Lina's laptop."""
    laptop = stage.lina
    # As the comment there says: reports are off until a school wants them.
    stage.edit("policies/ict/baseline.yaml", "  # telemetry.records", "  telemetry.records")
    stage.fleet("publish", "--as", PEOPLE[0])
    laptop.sync()
    laptop.bookbag("telemetry", "--now")
    text = laptop.bookbag("telemetry", "--last", "--json").text
    shown = [_report(report) for entry in json.loads(text)["sent"] for report in entry["reports"]]
    desk = Path(stage.desk)
    sealed = len([*desk.glob("returns/done/*"), *desk.glob("receipts/*/*")])
    shown.append(f"and for the desk's eyes only: {sealed} sealed enrolments and receipts of all laptops")
    if broken:  # a name slips in
        newest = max(Path(laptop.path(SENT)).glob("*.pb"))
        newest.write_bytes(newest.read_bytes() + b"lina")
    yield Claim(
        "all that the school knows of Lina's laptop, whole; no name is in it",
        "nameless",
        {
            "sent": laptop.path(SENT),
            "facts": laptop.path("/.sandbox/facts.json"),
            "names": list(stage.laptops),
        },
        shown=tuple(shown),
    )


def _report(report: dict[str, dict[str, object]]) -> str:
    values = {**report["laptop"], **report["values"]}
    return f"{report['record']}: " + ", ".join(f"{name} {_spelled(value)}" for name, value in values.items())


def _spelled(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace('"', "")


def withdraw(stage: Stage, broken: bool) -> Iterator[Claim]:
    """All policy is withdrawn, and with it the tests that would not let it go."""
    left = [laptop for name, laptop in stage.laptops.items() if name != OMAR]
    desk = Path(stage.desk)
    written = [*desk.glob("policies/ict/*.yaml"), *desk.glob("tests/*.yaml")]
    policies = {path: path.read_bytes() for path in written}
    for path in policies:
        path.unlink()
    stage.fleet("publish", "--as", PEOPLE[0])
    stage.everywhere(Laptop.sync, left)
    if broken:  # a flipped byte in what was restored
        stage.lina.write(MOTD, "welcome to Debian.\n", 0o640)
    yield Claim(
        "the school withdraws everything: the laptops are as they were before",
        "same",
        {"laptops": {one.name: one.folder for one in left}, "before": f"{stage.folder}/before.json"},
    )
    if stage.stays:  # whoever looks around finds it in force
        for path, data in policies.items():
            path.write_bytes(data)
        stage.fleet("publish", "--as", PEOPLE[0])
        stage.everywhere(Laptop.sync, left)
        shutil.copytree(f"{stage.desk}/keys/online", f"{stage.folder}/thief")
