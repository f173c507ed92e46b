"""What may cut a laptop off, with a supervisor that runs: confirmed by the next contact, or taken back."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from agent.daemon.confirming import _host
from agent.trust.enrolment import EnrolFile, make_token
from tests.daemon.laptop import SandboxLaptop, until
from tests.sync.server import make_tls, static_host
from tests.trust.school import School

POLICY = """\
policy: walls
rank: school
owner: ict@north.example
review-by: "2027-08-01"
settings:
  network.firewall: {value: {incoming: closed, outgoing: [%s]}}
"""


def waiting(laptop: SandboxLaptop) -> int:
    found = laptop.status()["confirm"]["waiting"]
    assert isinstance(found, int)
    return found


def trial(laptop: SandboxLaptop) -> dict[str, Any]:
    with open(laptop.layout.state_file("trials"), encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)["data"]["trials"]["firewall:bookbag"]
    return found


def codes(laptop: SandboxLaptop) -> list[str]:
    return [one["code"] for one in laptop.status()["exceptions"]]


def outgoing(laptop: SandboxLaptop) -> str:
    """What becomes of what no rule names."""
    table = json.loads((laptop.folder / ".sandbox/firewall.json").read_text())["table"]
    (policy,) = [one["chain"]["policy"] for one in table if one.get("chain", {}).get("name") == "outgoing"]
    return str(policy)


@pytest.mark.slow
def test_the_next_contact_confirms_it_and_its_absence_takes_it_back(
    laptop: SandboxLaptop, tmp_path: Path
) -> None:
    school = School(tmp_path / "desk", at=int(time.time()))
    school.power("ada", "bo", walls=POLICY % "web")
    school.publish()
    with contextlib.ExitStack() as open_host:
        host = open_host.enter_context(static_host(school.mirror, make_tls(tmp_path / "tls")))
        root = (school.mirror / "metadata" / "1.root.json").read_bytes()
        ca = (tmp_path / "tls" / "ca.pem").read_text()
        enrol = tmp_path / "enrol.json"
        enrol.write_bytes(EnrolFile("north", (host.url,), ca, root, make_token()).to_bytes())
        laptop.start()
        assert laptop.cli("enrol", str(enrol)).returncode == 0
        assert laptop.cli("sync").returncode in (0, 2)
        until(lambda: trial(laptop)["stage"] == "kept")  # nobody asked: the laptop itself looked
        assert trial(laptop)["reachable-before"]
        until(lambda: waiting(laptop) == 0)
    school.power("ada", "bo", walls=POLICY % "mail")
    school.publish(school.at + 2)
    # by stick, for from here on nobody answers
    assert laptop.cli("sync", "--from", str(school.mirror)).returncode in (0, 2)  # it may look by itself
    until(lambda: trial(laptop)["stage"] == "applied")
    assert trial(laptop)["reachable-before"]
    for _ in range(20):
        if trial(laptop)["missed"] == 3:  # several within one second count as one
            break
        assert laptop.cli("sync").returncode == 1
        time.sleep(1.1)
    assert trial(laptop)["missed"] == 3
    assert (outgoing(laptop), codes(laptop)) == ("drop", []), "it has its five minutes"
    assert laptop.stop() == 0
    laptop.set_clock(400)
    laptop.start()
    until(lambda: codes(laptop) == ["cut-off"])
    assert (outgoing(laptop), trial(laptop)["stage"]) == ("accept", "reverted")
    assert laptop.stop() == 0


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://Service.Example:8443/a@b", "service.example"),
        ("https://10.0.0.1/", "10.0.0.1"),
        ("https://me@h.example", "h.example"),
        ("https://[2001:db8::1]:8443/", "2001:db8::1"),
        ("file:///media/stick", ""),
        ("nonsense", ""),
    ],
)
def test_the_name_of_the_service_is_that_of_its_address(url: str, name: str) -> None:
    assert _host(url) == name
