"""network.wifi: networks that laptops join by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.listed import Listed
from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge
from agent.policy.resources.wifi import Wifi
from agent.policy.syntax.values import Type
from agent.policy.syntax.wifi import Networks


class NetworkWifi(Listed):
    """A union by name: a district's network and a school's are in reach at different hours. Of one name the
    nearer rank knows better what it is by now.
    """

    key: ClassVar[str] = "network.wifi"
    about: ClassVar[str] = (
        "Networks of Wi-Fi that laptops join by themselves, through NetworkManager, beside those of people's "
        "own, which are never touched. Each rank adds its own; of the same name the nearer rank's is taken. "
        "A pass-phrase or password is never in a policy: `secret` names one that `bookbag-fleet secret` "
        "gives the laptop sealed, and until it has come the network waits, and says so. wpa-enterprise needs "
        "the authority and the name of the server, or anybody who calls a network like the school's would "
        "be told the password. Where a network cuts the laptop off from the school's service, every other "
        "network comes before it, until it is tried again. NetworkManager takes what is new the next time "
        "that it joins. Who may change the laptop's networks in the desktop's own settings can read the "
        "pass-phrase there."
    )
    value: ClassVar[Type] = Networks()
    merge: ClassVar[Merge] = Merge.UNION
    powers: ClassVar[str] = Wifi.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "The school set up its Wi-Fi on this laptop, so that you need no password to be online.",
        "ar": "أعدّت المدرسة شبكتها اللاسلكية على هذا الحاسوب كي تتصل دون أن تطلب كلمة سر.",
    }
    example: ClassVar[str] = """\
network.wifi:
  - {name: pupils, ssid: North Pupils, security: wpa-personal, secret: pupils-wifi, priority: 10}
  - {name: guests, ssid: North Guests, security: open, join: false}"""

    def compile(self, value: object) -> tuple[Resource, ...]:
        """As `Setting.compile`."""
        assert isinstance(value, list)  # noqa: S101
        return tuple(map(_network, value))

    def shown(self, entry: Mapping[str, object]) -> str:
        """As `Listed.shown`."""
        return f"{entry.get('ssid')} ({entry.get('security')})"


def _network(entry: Mapping[str, object]) -> Wifi:
    def text(key: str) -> str:
        return str(entry.get(key, ""))

    priority = entry.get("priority", 0)
    assert isinstance(priority, int)  # noqa: S101
    return Wifi(
        text("name"),
        text("ssid"),
        text("security"),
        hidden=entry.get("hidden") is True,
        joins=entry.get("join") is not False,
        priority=priority,
        secret=text("secret"),
        eap=text("eap"),
        identity=text("identity"),
        identity_secret=text("identity-secret"),
        outer=text("anonymous-identity"),
        authority=_der(text("authority")),
        server=text("server"),
    )


def _der(pem: str) -> str:
    """The same certificate as one line of base64."""
    return "".join(re.sub(r"-----[A-Z ]+-----", "", pem).split())
