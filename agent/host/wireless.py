"""Wi-Fi networks that a laptop joins by itself, as NetworkManager keeps them: one file each, and what it
knows of that file. Networks of people's own are neither read nor changed.

A file of ours is written in one way, so that whatever else is in it was written by somebody else. SSIDs and
authorities are in it as bytes, for which no writing of NetworkManager's has exceptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Protocol

FOLDER: Final = "/etc/NetworkManager/system-connections"
MODE: Final = 0o600  #: or NetworkManager does not read it
NAME = r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?"
OPEN, PERSONAL, ENTERPRISE = "open", "wpa-personal", "wpa-enterprise"
PEAP, TTLS = "peap", "ttls"
#: How the password goes through the tunnel.
_INNER: Final = {PEAP: "mschapv2", TTLS: "pap"}
_KEY: Final = {PERSONAL: "wpa-psk", ENTERPRISE: "wpa-eap"}
LEAST, MOST = -999, 999  #: of NetworkManager's priorities
_OURS: Final = "c1d2b8ae-6a0f-4e0b-9c83-1f2f0c6d7b52"
_BLOB: Final = "data:;base64,"
_UUID = re.compile(r"^uuid=(.*)$", re.MULTILINE)
_PASSPHRASE = re.compile(r"[\x20-\x7e]{8,63}|[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Profile:
    """One network. What only its users may know is never shown: not by `repr` either."""

    ssid: str
    security: str = OPEN
    hidden: bool = False
    joins: bool = True  #: by itself
    priority: int = 0
    eap: str = ""
    outer: str = ""  #: what the network is told as long as it has not shown that it is the right one
    authority: str = ""  #: whose certificate it must have: base64 of the authority's, DER
    server: str = ""  #: which name, or one below it, that certificate must be for
    identity: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


class Wireless(Protocol):
    """NetworkManager. Verbs raise ``not-supported`` where it does not run."""

    def lacks(self) -> str:
        """What the machine lacks for it, to follow "the machine has no"; "": nothing."""
        ...

    def take_in(self, path: str) -> None:
        """Have it read this file of `FOLDER` anew, or notice that it is gone. Other networks, and what is
        connected just now, stay as they are."""
        ...

    def known(self, uuid: str) -> Profile | None:
        """What it has in mind under this uuid, secrets included; None if nothing, or no Wi-Fi."""
        ...


def path_of(name: str) -> str:
    """Where the file of our network ``name`` lies."""
    return f"{FOLDER}/bookbag-{name}.nmconnection"


def uuid_of(name: str) -> str:
    """By which NetworkManager knows it."""
    import uuid  # here, for it loads what few laptops need

    return str(uuid.uuid5(uuid.UUID(_OURS), name))


def owner_of(text: str) -> str:
    """The uuid that a file says; "" if it says none."""
    found = _UUID.search(text)
    return found[1].strip() if found else ""


def unusable(secret: str, security: str) -> str:
    """Why ``secret`` cannot be that of such a network; "" if it can."""
    if security == PERSONAL and not _PASSPHRASE.fullmatch(secret):
        return "a pass-phrase of WPA has 8 to 63 characters of ASCII, or is a key of 64 hexadecimal digits"
    return ""


def keyfile(name: str, profile: Profile) -> str:
    """The file of our network ``name``."""
    about = {"id": profile.ssid, "uuid": uuid_of(name), "type": "wifi"}
    if not profile.joins:
        about["autoconnect"] = "false"
    if profile.priority:
        about["autoconnect-priority"] = str(profile.priority)
    radio = {"mode": "infrastructure", "ssid": "".join(f"{byte};" for byte in profile.ssid.encode())}
    if profile.hidden:
        radio["hidden"] = "true"
    sections = {"connection": about, "wifi": radio}
    if profile.security != OPEN:
        sections["wifi-security"] = {"key-mgmt": _KEY[profile.security]}
    if profile.security == PERSONAL:
        sections["wifi-security"]["psk"] = profile.secret
    if profile.security == ENTERPRISE:
        sections["802-1x"] = _enterprise(profile)
    sections |= {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key}={_escaped(value)}\n" for key, value in pairs.items())
        for section, pairs in sections.items()
    )


def _enterprise(profile: Profile) -> dict[str, str]:
    made = {"eap": f"{profile.eap};", "identity": profile.identity}
    if profile.outer:
        made["anonymous-identity"] = profile.outer
    return {
        **made,
        "ca-cert": _BLOB + profile.authority,
        "domain-suffix-match": profile.server,
        "phase2-auth": _INNER[profile.eap],
        "password": profile.secret,
    }


def read_keyfile(name: str, text: str) -> Profile | None:
    """What a file of our network ``name`` says; None if not all of it is as `keyfile` writes it."""
    said = dict(_lines(text))
    security = next((one for one, key in _KEY.items() if said.get("wifi-security.key-mgmt") == key), OPEN)
    try:
        profile = Profile(
            ssid=bytes(map(int, said["wifi.ssid"].split(";")[:-1])).decode(),
            security=security,
            hidden=said.get("wifi.hidden") == "true",
            joins=said.get("connection.autoconnect") != "false",
            priority=int(said.get("connection.autoconnect-priority", "0")),
            eap=said.get("802-1x.eap", "").removesuffix(";"),
            outer=said.get("802-1x.anonymous-identity", ""),
            authority=said.get("802-1x.ca-cert", "").removeprefix(_BLOB),
            server=said.get("802-1x.domain-suffix-match", ""),
            identity=said.get("802-1x.identity", ""),
            secret=said.get("wifi-security.psk" if security == PERSONAL else "802-1x.password", ""),
        )
        return profile if keyfile(name, profile) == text else None
    except (KeyError, ValueError):
        return None


def _lines(text: str) -> list[tuple[str, str]]:
    found, section = [], ""
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if line.startswith("["):
            section = line.strip("[]")
        elif equals:
            found.append((f"{section}.{key}", value.replace("\\\\", "\\")))
    return found


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\")
