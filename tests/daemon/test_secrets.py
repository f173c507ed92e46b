"""A network of Wi-Fi through the whole laptop: it waits for its secret, joins once that is given, and nothing
that the laptop tells anybody has the secret in it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.host.wireless import path_of
from agent.trust import secretbox
from tests.daemon.laptop import sandbox, until
from tests.daemon.test_commands import Site
from tests.fleet.test_secrecy import finds

CANARY = "canary-pass-phrase-0451"
POLICY = """\
policy: wifi
rank: school
owner: ict@north.example
review-by: "2027-08-01"
settings:
  network.wifi: [{name: pupils, ssid: North, security: wpa-personal, secret: pupils-wifi}]
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with sandbox() as laptop:
        yield Site(tmp_path, laptop)


def giving(site: Site, **values: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in values.items()}
    to = site.identity.seal_key.public
    box = secretbox.seal_values(named, site.school.site, site.identity.id, to)
    return site.order("secrets", args={"names": sorted(named), "box": base64.b64encode(box).decode()})


def test_it_waits_for_its_secret_joins_by_itself_and_tells_nobody(site: Site) -> None:
    laptop = site.laptop
    site.school.power("ada", "bo", wifi=POLICY)
    site.send()
    public = Path(laptop.layout.public)
    (row,) = [
        one
        for one in json.loads((public / "settings.json").read_text())["settings"]
        if one["key"] == "network.wifi"
    ]
    assert (row["outcome"], row["code"]) == ("pending", "awaited")
    assert row["message"] == "waits for the secret pupils-wifi, which IT gives this laptop"
    assert not laptop.status()["outcomes"].get("failed")
    keyfile = laptop.path(path_of("pupils"))
    assert not keyfile.exists()

    site.send(giving(site, pupils_wifi=CANARY))
    until(keyfile.exists)
    assert f"psk={CANARY}" in keyfile.read_text()
    assert keyfile.stat().st_mode & 0o777 == 0o600
    assert ("secrets", "done", "") in site.told()

    said = [
        laptop.cli(*words)
        for words in (
            *(["status", "--json"], ["plan", "--json"], ["explain", "network.wifi", "--json"]),
            *(
                ["explain", "wifi:pupils"],
                ["ledger", "--json"],
                ["telemetry", "--json"],
                ["doctor", "--json"],
            ),
        )
    ]
    assert any("pupils" in one.stdout for one in said), "the control"
    assert [one.args for one in said if CANARY in one.stdout + one.stderr] == []
    assert CANARY not in laptop.log.read_text()
    found = finds(laptop.folder, CANARY)
    assert found == [
        path_of("pupils")[1:],
        "var/lib/bookbag/secrets/secrets.json",
        "var/lib/bookbag/secrets/secrets.json.2",
    ]
    secrets = laptop.path("/var/lib/bookbag/secrets")
    assert secrets.stat().st_mode & 0o777 == 0o700
    assert {one.stat().st_mode & 0o777 for one in secrets.iterdir()} == {0o600}
    assert finds(site.school.mirror, CANARY) == []

    site.send(giving(site))
    assert laptop.cli("apply").returncode in (0, 2)
    until(lambda: not keyfile.exists())
    assert finds(laptop.folder, CANARY) == [], "what was taken away is nowhere any more"
