"""Applications of flatpak by policy, through the units that bring them: one comes from a source that two
persons signed, and only with its key; withdrawn, nothing of it is there.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.contract.flatpak_repository import made
from tests.lab import flatpak
from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import LEFT_OUT, School
from tests.lab.acceptance.school import bookbag, laptop_reports
from tests.lab.acceptance.test_packages import answers, outcome
from tests.lab.image import Image
from tests.lab.lab import Lab
from tests.lab.laptop import Laptop
from tests.lab.network import SERVER

PORT = 8093
UNITS = "bookbag-flatpaks*.service"
APPLICATION = "org.example.Hello"
HELLO, VENDOR = f"flatpak:{APPLICATION}//stable", "flatpak-source:vendor"


def listed(laptop: Laptop) -> list[str]:
    """As flatpak itself says."""
    return laptop.run(["flatpak", "list", "--system", "--columns=application,origin"]).stdout.split()


def message(laptop: Laptop) -> str:
    return next((str(row.get("message")) for row in laptop_reports(laptop) if row["resource"] == HELLO), "")


@pytest.mark.soak
@pytest.mark.needs("flatpak", "gpg")
def test_an_application_comes_by_the_key_that_two_persons_signed(
    school: School, lab: Lab, debian: Image, tmp_path: Path
) -> None:
    laptop, desk, network = school.lina, school.desk, lab.network

    def changed() -> None:
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync", codes=(0, 2, 4, 6))

    def wish(key: bytes) -> None:
        place = {"name": "vendor", "address": f"http://{SERVER}:{PORT}/", "key": key.decode()}
        settings = {
            "software.flatpak-sources": [place],
            "software.flatpaks": [{"application": APPLICATION, "source": "vendor"}],
        }
        desk.policy("flatpaks", settings, power=True)
        changed()

    with made(tmp_path) as repository, network.forgetful():
        network.serve_folder(repository.folder, PORT)
        laptop.wait_until(partial(answers, laptop, PORT), 30, "the source")
        wish(repository.wrong_key)
        assert outcome(laptop, HELLO) == outcome(laptop, VENDOR) == "not-supported", "there is no flatpak"
        desk.withdraw("flatpaks")  # lest half of flatpak is begun with
        changed()
        with flatpak.installed(laptop, debian):
            etc = tree.snapshot(laptop, "/etc", LEFT_OUT)
            wish(repository.wrong_key)
            laptop.wait_until(lambda: outcome(laptop, HELLO) == "failed", 120, "the refusal", unit=UNITS)
            assert "signature" in message(laptop).lower() and listed(laptop) == []
            assert outcome(laptop, VENDOR) == "in-force"
            wish(repository.key)
            laptop.wait_until(lambda: outcome(laptop, HELLO) == "in-force", 120, "it", unit=UNITS)
            assert {APPLICATION, "vendor", "org.example.Platform"} <= set(listed(laptop))
            desk.withdraw("flatpaks")
            changed()
            laptop.wait_until(lambda: listed(laptop) == [], 120, "its end", unit=UNITS)
            assert laptop.run(["flatpak", "remotes", "--system"]).stdout.split() == []
            assert tree.differences(etc, tree.snapshot(laptop, "/etc", LEFT_OUT)) == []
