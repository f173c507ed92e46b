"""What contradicts each other in signed policy, and what nobody has reviewed in time, is said on the laptop;
neither is a failure.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from agent.trust.enrolment import EnrolFile, make_token
from tests.daemon.laptop import SandboxLaptop, until
from tests.trust.school import School

DELAY = "/org/gnome/desktop/session/idle-delay"
POLICY = """\
policy: {name}
rank: school
owner: {name}@north.example
review-by: "{review}"
resources:
  - dconf: {{group: {name}, values: {{{delay}: "uint32 {seconds}"}}}}
"""


def test_a_contradiction_and_an_overdue_review_are_said_and_are_no_failure(
    laptop: SandboxLaptop, tmp_path: Path
) -> None:
    school = School(tmp_path / "desk", at=int(time.time()))
    first = POLICY.format(name="aa", review="2020-02-01", delay=DELAY, seconds=600)
    second = POLICY.format(name="zz", review="2087-08-01", delay=DELAY, seconds=60)
    school.policy("ict", aa=first, zz=second)
    school.publish()
    root = (school.mirror / "metadata" / "1.root.json").read_bytes()
    enrol = tmp_path / "enrol.json"
    enrol.write_bytes(EnrolFile("north", ("https://127.0.0.1:1/",), "", root, make_token()).to_bytes())
    laptop.cli("enrol", str(enrol))
    laptop.start()
    laptop.cli("sync", "--from", str(school.mirror))
    until(lambda: laptop.status()["outcomes"].get("overruled"))
    laptop.path("/etc/dconf/db/bookbag.d/aa").write_text("tampered")
    until(lambda: "uint32 600" in laptop.path("/etc/dconf/db/bookbag.d/aa").read_text())

    shown = laptop.cli("status")
    assert shown.returncode == 0, shown.stdout
    holds = "cannot follow policy/ict/zz.yaml about dconf:zz: dconf:aa holds it"
    overdue = "its review was due by 2020-02-01; it stays in force; ask aa@north.example"
    assert holds in shown.stdout and overdue in shown.stdout
    status = laptop.status()
    assert status["outcomes"]["overruled"] == 1
    (exception,) = status["exceptions"]
    assert (exception["resource"], exception["code"]) == ("dconf:zz", "conflict")
    (note,) = status["notes"]
    assert (note["subject"], note["code"]) == ("policy:aa", "overdue")
    reports = json.loads((Path(laptop.layout.public) / "reports.json").read_text())
    assert {"resource": "dconf:zz", "outcome": "overruled", "code": "conflict", "message": holds} in reports
    assert f"conflict  {holds}" in " ".join(laptop.cli("explain", "dconf:zz").stdout.split(" "))
    assert laptop.stop() == 0
