"""security.certificates: the school's own authorities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from agent.policy.bases.resource import Resource
from agent.policy.bases.setting import Merge, Setting
from agent.policy.resources.certificate import Certificate
from agent.policy.resources.chromium import Chromium
from agent.policy.resources.firefox import MACHINES_LIST, Firefox
from agent.policy.syntax.certificates import Pem, authority
from agent.policy.syntax.values import Key, ListOf, Record, Text, Type

#: It may speak for north.example only.
_EXAMPLE = """\
-----BEGIN CERTIFICATE-----
MIIBXDCCAQKgAwIBAgIQcgpsyz81Qd5PvbHqrqV+rTAKBggqhkjOPQQDAjAVMRMw
EQYDVQQDDApOb3J0aCBIaWdoMB4XDTI2MDEwMTAwMDAwMFoXDTQ2MDEwMTAwMDAw
MFowFTETMBEGA1UEAwwKTm9ydGggSGlnaDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABPofMy4Hw2mcqwduO425EVdGv/VpS5YFhdynR1wKTrdP0l1/acev/LvMdr8P
sHOWZZJzLcQQvOKh/QJf/mhFHZKjNDAyMA8GA1UdEwEB/wQFMAMBAf8wHwYDVR0e
AQH/BBUwE6ARMA+CDW5vcnRoLmV4YW1wbGUwCgYIKoZIzj0EAwIDSAAwRQIhAPXK
Dw4hk2c4TdEPzMQkiHKXh4O7SpKIfwdS3j309BdgAiBsHki0KWc+OdYropefesLS
hDoaGOyWslAEv92bPyt66Q==
-----END CERTIFICATE-----
"""


def _indented(text: str) -> str:
    return "".join(f"      {line}\n" for line in text.splitlines())


_ENTRY = Record(
    {
        "name": Key(
            Text(most=40, pattern="[a-z][a-z0-9-]*", what="a short name of a-z, 0-9 and hyphens"),
            required=True,
            about="names its file",
        ),
        "pem": Key(Pem(), required=True, about="the certificate"),
    },
    what="an authority",
)


class SecurityCertificates(Setting):
    """Each rank adds its own."""

    key: ClassVar[str] = "security.certificates"
    about: ClassVar[str] = (
        "Certificates of authorities that the machine's programs believe, beside those of the distribution: "
        "for a proxy or servers of the school's own. Programs that are running take them in when they start "
        "the next time. Chromium, Chrome and Edge get them as a policy; Debian's Firefox is told to ask the "
        "machine's list, for which it needs the package p11-kit-modules; a snap or flatpak has only its own. "
        "Give an authority name constraints: without them its key opens every site to whoever has it, and "
        "plans say so."
    )
    value: ClassVar[Type] = ListOf(_ENTRY, most=20)
    merge: ClassVar[Merge] = Merge.UNION
    powers: ClassVar[str] = Certificate.risk
    why: ClassVar[Mapping[str, str]] = {
        "en": "The laptop believes the certificates of these authorities, so that programs can reach the "
        "school's own servers. Whoever holds such an authority could read along.",
        "ar": "يثق الحاسوب بشهادات هذه الجهات كي تصل البرامج إلى خوادم المدرسة. "
        "وقد يستطيع مالك الجهة قراءة ما يمر عبرها.",
    }
    example: ClassVar[str] = f"security.certificates:\n  - name: north\n    pem: |\n{_indented(_EXAMPLE)}"

    def compile(self, value: object) -> tuple[Resource, ...]:
        assert isinstance(value, list)  # noqa: S101
        by_name = {str(one["name"]): str(one["pem"]) for one in value}
        listed = sorted(map(_der, by_name.values()))
        return (
            *(Certificate(name, pem) for name, pem in by_name.items()),
            Chromium(setting="certificates", policies={"CACertificates": listed}),
            Firefox({"SecurityDevices": {"Add": {"The laptop's own list": MACHINES_LIST}}}),
        )

    def show(self, value: object) -> str:
        return "; ".join(map(_shown, value)) if isinstance(value, list) else str(value)


def _der(pem: str) -> str:
    """What stands between the first line and the last, which is the base64 that Chromium asks for."""
    return "".join(pem.splitlines()[1:-1])


def _shown(entry: Mapping[str, object]) -> str:
    try:
        found = authority(str(entry["pem"]))
    except ValueError:
        return str(entry["name"])
    held = f"for {', '.join(found.names)} only" if found.names else "for any site: it has no name constraints"
    return "".join(one for one in f"{entry['name']} ({found.subject}), {held}" if one.isprintable())
