"""NetworkManager of a real machine, through nmcli: what it says is parsed here, and shown to nobody."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Final

from agent.core.errors import BookbagError
from agent.host.processes import Ended, run
from agent.host.wireless import ENTERPRISE, OPEN, PERSONAL, Profile

NMCLI: Final = "/usr/bin/nmcli"
SECONDS: Final = 20.0
_NOT_THERE: Final = 10  #: nmcli's exit status
_NOT_RUNNING: Final = 8
_FIELDS: Final = "connection,802-11-wireless,802-11-wireless-security,802-1x"
_SECURITY: Final[Mapping[str, str]] = {"": OPEN, "wpa-psk": PERSONAL, "wpa-eap": ENTERPRISE}


class LinuxWireless:
    """As root: whoever else asks gets no secrets."""

    def lacks(self) -> str:
        told = run((NMCLI, "-t", "-f", "RUNNING", "general"), timeout=SECONDS)
        return "" if told.text.strip() == "running" else "NetworkManager that runs"

    def take_in(self, path: str) -> None:
        words = ("load", path) if os.path.lexists(path) else ("reload",)
        ended = run((NMCLI, "connection", *words), timeout=SECONDS)
        _answered(ended)
        if ended.status != 0:
            raise BookbagError("not-effective", f"cannot have NetworkManager read {path}: {ended.complaint}")

    def known(self, uuid: str) -> Profile | None:
        ended = run(
            (NMCLI, "-t", "-e", "no", "-s", "-f", _FIELDS, "connection", "show", "uuid", uuid),
            timeout=SECONDS,
        )
        _answered(ended)
        if ended.status == _NOT_THERE:
            return None
        if ended.status != 0:
            raise BookbagError("not-effective", "cannot ask NetworkManager about a network of Wi-Fi")
        return profile_of(ended.text)


def profile_of(text: str) -> Profile | None:
    """What ``nmcli connection show`` tells; None if that is no Wi-Fi such as policies make."""
    said = dict(line.partition(":")[::2] for line in text.split("\n"))
    security = _SECURITY.get(said.get("802-11-wireless-security.key-mgmt", ""))
    if said.get("connection.type") != "802-11-wireless" or security is None:
        return None
    try:
        return Profile(
            ssid=said.get("802-11-wireless.ssid", ""),
            security=security,
            hidden=said.get("802-11-wireless.hidden") == "yes",
            joins=said.get("connection.autoconnect") == "yes",
            priority=int(said.get("connection.autoconnect-priority", "0")),
            eap=said.get("802-1x.eap", ""),
            outer=said.get("802-1x.anonymous-identity", ""),
            authority=_base64(said.get("802-1x.ca-cert", "")),
            server=said.get("802-1x.domain-suffix-match", ""),
            identity=said.get("802-1x.identity", ""),
            secret=said.get(
                "802-11-wireless-security.psk" if security == PERSONAL else "802-1x.password", ""
            ),
        )
    except ValueError:
        return None


def _base64(told: str) -> str:
    """Certificates are told in hexadecimal; what is none, such as a path, stays as it is."""
    try:
        return base64.b64encode(bytes.fromhex(told)).decode("ascii")
    except ValueError:
        return told


def _answered(ended: Ended) -> None:
    if ended.status == _NOT_RUNNING:
        raise BookbagError(
            "not-supported",
            "cannot ask NetworkManager: it does not run",
            remedy="start it: systemctl start NetworkManager",
        )
