"""The contract of Wi-Fi over the simulation, and what of a real one needs no machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.errors import BookbagError
from agent.host.linux.wireless import profile_of
from agent.host.sandbox.laptop import open_sandbox
from agent.host.wireless import keyfile, read_keyfile, unusable
from tests.contract.checks import WIRELESS
from tests.contract.wireless_checks import PUPILS, STAFF, Joining


@pytest.mark.parametrize("name", WIRELESS)
def test_simulated(name: str, tmp_path: Path) -> None:
    host = open_sandbox(str(tmp_path))
    assert host.wireless is not None
    WIRELESS[name](Joining(host.wireless, host.files))


def test_where_networkmanager_does_not_run_it_is_said(tmp_path: Path) -> None:
    host = open_sandbox(str(tmp_path))
    assert host.services is not None and host.wireless is not None
    host.services.set_active("NetworkManager.service", False)
    assert host.wireless.lacks() == "NetworkManager that runs"
    with pytest.raises(BookbagError, match="does not run"):
        host.wireless.known("x")


def test_what_somebody_added_is_not_taken_for_ours() -> None:
    text = keyfile("staff", STAFF)
    assert read_keyfile("staff", text) == STAFF
    for other in (
        text + "#\n",
        text.replace("\nphase2-auth=mschapv2", "\nphase2-auth=mschapv2\nphase2-ca-cert=/tmp/x"),
        text.replace("ssid=78;", "ssid=N;"),
        text.replace("key-mgmt=wpa-eap", "key-mgmt=none"),
        text.replace("eap=peap;", "eap=leap;"),
        "",
        "[wifi]\nssid=255;\n",
    ):
        assert read_keyfile("staff", other) is None
    assert read_keyfile("pupils", text) is None, "under another name it is another network"


def test_what_nmcli_says_of_something_else_is_no_network() -> None:
    assert profile_of("connection.type:802-3-ethernet\n") is None
    assert profile_of("connection.type:802-11-wireless\n802-11-wireless-security.key-mgmt:none\n") is None
    assert profile_of("connection.type:802-11-wireless\nconnection.autoconnect-priority:x\n") is None
    assert profile_of("") is None


def test_what_no_network_takes_is_told_without_being_shown() -> None:
    for secret in ("1234567", "x" * 65, "g" * 64, "pass-phräse"):
        why = unusable(secret, PUPILS.security)
        assert "8 to 63" in why and secret not in why
    assert not unusable(PUPILS.secret, PUPILS.security)
    assert not unusable("ä", STAFF.security)
