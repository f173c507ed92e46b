"""Wi-Fi by policy, as NetworkManager knows it: nothing before the secret is there, then with the secret that
IT gave, also after somebody deleted it; nobody else is told; and withdrawn, people's own networks are left.

The machines of the lab have no radio: that one joins is not seen here.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.fleet.test_secrecy import finds
from tests.lab import network_manager
from tests.lab.acceptance import tree
from tests.lab.acceptance.conftest import LEFT_OUT, School
from tests.lab.acceptance.desk import Desk
from tests.lab.acceptance.school import bookbag, laptop_reports, settled, status
from tests.lab.image import Image
from tests.lab.laptop import Laptop

SECRET, SECOND = "canary-pupils-4711", "canary-pupils-0815"
PLACE, STATE = "/etc/NetworkManager", "/var/lib/bookbag"
KEYFILE = f"{PLACE}/system-connections/bookbag-pupils.nmconnection"
PUPILS = {"name": "pupils", "ssid": "مدرسة الشمال", "security": "wpa-personal", "secret": "pupils-wifi"}
GUESTS = {"name": "guests", "ssid": "North Guests", "security": "open", "join": False}


def networks(laptop: Laptop) -> set[str]:
    """Every network of Wi-Fi that NetworkManager knows."""
    told = laptop.run(["nmcli", "-t", "-e", "no", "-f", "TYPE,NAME", "connection", "show"]).stdout
    return {
        name for kind, _, name in (line.partition(":") for line in told.splitlines()) if "wireless" in kind
    }


def passphrase(laptop: Laptop, name: str) -> str:
    """As NetworkManager has it in mind."""
    field = "802-11-wireless-security.psk"
    done = laptop.run(["nmcli", "-s", "-g", field, "connection", "show", "id", name], check=False)
    return done.stdout.strip()


def give(desk: Desk, folder: Path, value: str, *words: str) -> None:
    """IT sets the secret, from a file."""
    file = folder / "value"
    file.touch(0o600)
    file.write_text(f"{value}\n")
    desk.fleet("secret", "set", "pupils-wifi", "--file", str(file), *words)


def test_networkmanager_knows_the_schools_network_and_nobody_else_its_secret(
    school: School, debian: Image, tmp_path: Path
) -> None:
    laptop, desk, home = school.lina, school.desk, ("connection", "add", "type", "wifi", "con-name", "Home")
    bookbag(laptop, "sync")  # what is in force between tests is
    etc = tree.snapshot(laptop, "/etc", LEFT_OUT)
    with network_manager.running(laptop, debian):
        laptop.run(
            ["nmcli", *home, "ssid", "Home", "wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", "at home!"]
        )
        before = tree.snapshot(laptop, PLACE)
        desk.policy("wifi", {"network.wifi": [PUPILS, GUESTS]}, power=True)
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync")
        stands = {row["resource"]: row for row in laptop_reports(laptop) if "wifi" in row["resource"]}
        assert stands["wifi:guests"]["outcome"] == "in-force"
        waits = stands["wifi:pupils"]
        assert (waits["outcome"], waits["code"]) == ("pending", "awaited") and "pupils-wifi" in waits[
            "message"
        ]
        assert networks(laptop) == {"Home", GUESTS["ssid"]}

        give(desk, tmp_path, SECRET)
        desk.fleet("secret", "give", "pupils-wifi", laptop.name, "--as", "ict-1")
        desk.publish("ict-1")
        bookbag(laptop, "sync")
        settled(laptop, lambda laptop: passphrase(laptop, PUPILS["ssid"]) == SECRET)
        assert laptop.path(KEYFILE).stat().st_mode & 0o777 == 0o600
        assert laptop.run(["cat", KEYFILE], user="student", check=False).returncode != 0

        laptop.run(["nmcli", "connection", "delete", "id", PUPILS["ssid"]])
        settled(laptop, lambda laptop: passphrase(laptop, PUPILS["ssid"]) == SECRET)
        give(desk, tmp_path, SECOND, "--as", "ict-1")
        desk.publish("ict-1")
        bookbag(laptop, "sync")
        settled(laptop, lambda laptop: passphrase(laptop, PUPILS["ssid"]) == SECOND)
        settled(laptop, lambda laptop: status(laptop)["outcomes"].get("pending", 0) == 0)
        look_for(laptop, desk)

        desk.withdraw("wifi")
        desk.publish("ict-1", "head-1")
        bookbag(laptop, "sync")
        settled(laptop, lambda laptop: networks(laptop) == {"Home"})
        assert tree.differences(before, tree.snapshot(laptop, PLACE)) == []
    left = tree.differences(etc, tree.snapshot(laptop, "/etc", LEFT_OUT))
    assert not left, left

    desk.fleet("secret", "remove", "pupils-wifi", "--as", "ict-1")
    desk.publish("ict-1")
    bookbag(laptop, "sync")
    settled(laptop, lambda laptop: finds(laptop.path(STATE), SECOND) == [])


def look_for(laptop: Laptop, desk: Desk) -> None:
    """The secrets, in everything that the laptop keeps or says, and at the desk."""
    said = ""
    for words in (["status"], ["plan"], ["explain", "network.wifi"], ["explain", "wifi:pupils"], ["ledger"]):
        said += bookbag(laptop, *words, "--json", codes=(0, 2, 4, 6)).stdout
    said += laptop.run(["bookbag", "doctor", "--json"], check=False).stdout
    said += laptop.run(["journalctl", "--no-pager", "--output=cat"]).stdout
    assert "wifi:pupils" in said and json.dumps(SECOND)[1:-1] not in said and SECRET not in said
    assert finds(laptop.path(STATE), SECOND) == ["secrets/secrets.json", "secrets/secrets.json.2"]
    assert finds(laptop.path(STATE), SECRET) == [], "what it was before"
    assert finds(desk.folder, SECOND) == [] == finds(desk.folder, SECRET)
